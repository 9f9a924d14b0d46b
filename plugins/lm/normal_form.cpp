#include "lm/normal_form.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <vector>

namespace lowbit::lm {
namespace {

bool is_combining_mark(utf8proc_int32_t character) { return utf8proc_get_property(character)->combining_class != 0; }

/// Canonical order: within each run of combining marks by class, stable. utf8proc's own is quadratic in the run.
void order_marks(std::vector<utf8proc_int32_t>& characters) {
  for (auto begin = characters.begin(); begin != characters.end();) {
    begin = std::find_if(begin, characters.end(), is_combining_mark);
    const auto end = std::find_if_not(begin, characters.end(), is_combining_mark);
    std::stable_sort(begin, end, [](utf8proc_int32_t a, utf8proc_int32_t b) {
      return utf8proc_get_property(a)->combining_class < utf8proc_get_property(b)->combining_class;
    });
    begin = end;
  }
}

}  // namespace

std::string normal_form(std::string_view text, NormalForm form) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
    return std::string(text);
  }
  std::vector<utf8proc_int32_t> characters;
  characters.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    utf8proc_int32_t character = 0;
    at += static_cast<size_t>(utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                                               static_cast<utf8proc_ssize_t>(text.size() - at), &character));
    std::array<utf8proc_int32_t, 16> parts{};  // the longest canonical decomposition has four
    int boundary = 0;
    const auto n = utf8proc_decompose_char(character, parts.data(), static_cast<utf8proc_ssize_t>(parts.size()),
                                           UTF8PROC_DECOMPOSE, &boundary);
    characters.insert(characters.end(), parts.begin(), parts.begin() + n);
  }
  order_marks(characters);
  auto n = static_cast<utf8proc_ssize_t>(characters.size());
  if (form == NormalForm::composed) {
    n = utf8proc_normalize_utf32(characters.data(), n,
                                 static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
  }
  std::string result;
  result.reserve(text.size());
  for (utf8proc_ssize_t i = 0; i < n; ++i) {
    std::array<utf8proc_uint8_t, 4> bytes{};
    const auto length = utf8proc_encode_char(characters[static_cast<size_t>(i)], bytes.data());
    result.append(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(length));
  }
  return result;
}

}  // namespace lowbit::lm
