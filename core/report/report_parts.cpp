#include "report/report_parts.h"

#include <algorithm>
#include <array>

#include "report/table_page.h"

namespace lowbit::report {
namespace {

/// What a data: URI of SVG needs escaped in an attribute: RFC 3986, and quotes.
bool stands_for_itself(char c) {
  constexpr std::string_view kPlain = "-._~!$&'()*+,;=:@/? ";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kPlain.find(c) != std::string_view::npos;
}

std::string percent_encoded(const std::string& text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr unsigned kNibble = 4;
  std::string out;
  for (const char c : text) {
    // In an attribute of HTML & begins an entity.
    if (stands_for_itself(c) && c != '&' && c != '\'') {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> kNibble];
    out += kDigits[byte & 0xFU];
  }
  return out;
}

}  // namespace

std::vector<std::string> shrink(std::vector<PagePart>& parts, std::size_t limit) {
  std::vector<std::string> left_out;
  std::size_t size = 0;
  std::vector<PagePart*> candidates;
  for (PagePart& part : parts) {
    size += part.html.size();
    if (part.rank > 0 && part.html.size() > part.instead_of_it.size()) candidates.push_back(&part);
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const PagePart* a, const PagePart* b) {
    return a->rank != b->rank ? a->rank > b->rank : a->html.size() > b->html.size();
  });
  for (PagePart* part : candidates) {
    if (limit == 0 || size <= limit) break;
    size -= part->html.size() - part->instead_of_it.size();
    part->html = part->instead_of_it;
    left_out.push_back(part->what);
  }
  return left_out;
}

std::string embedded_svg(const std::string& svg, const std::string& alternative) {
  return "<img class=\"picture\" alt=\"" + html_text(alternative) + "\" src=\"data:image/svg+xml," +
         percent_encoded(svg) + "\">\n";
}

}  // namespace lowbit::report
