# lowbit_embed(TARGET HEADER FILES file...)
#
# Compiles text files into TARGET. HEADER (included by that name) declares them:
#   std::string_view lowbit::embedded::find_text(name)   -- name: the file's own, without directories; REQUIRES it exists
# One symbol set per target: HEADER's stem names the namespace below lowbit::embedded.
function(lowbit_embed target header)
  cmake_parse_arguments(PARSE_ARGV 2 embed "" "" "FILES")
  get_filename_component(stem "${header}" NAME_WE)
  set(directory "${CMAKE_CURRENT_BINARY_DIR}/embedded")
  set(source "${directory}/${stem}.cpp")
  set(rows "")
  foreach(file IN LISTS embed_FILES)
    get_filename_component(path "${file}" ABSOLUTE)
    get_filename_component(name "${file}" NAME)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${path}")
    file(READ "${path}" text)
    string(APPEND rows "    {\"${name}\", R\"lowbit-text(${text})lowbit-text\"},\n")
  endforeach()
  file(CONFIGURE OUTPUT "${directory}/${header}" @ONLY NEWLINE_STYLE UNIX CONTENT
"// Texts compiled in by lowbit_embed().
#pragma once
#include <string_view>
namespace lowbit::embedded::@stem@ {
/// The file of that name; empty when there is none.
std::string_view find_text(std::string_view name);
}
")
  file(CONFIGURE OUTPUT "${source}" @ONLY NEWLINE_STYLE UNIX CONTENT
"#include \"@header@\"
namespace lowbit::embedded::@stem@ {
namespace {
struct Text {
  std::string_view name;
  std::string_view text;
};
constexpr Text kTexts[] = {
@rows@};
}
std::string_view find_text(std::string_view name) {
  for (const Text& text : kTexts) {
    if (text.name == name) return text.text;
  }
  return {};
}
}
")
  target_sources(${target} PRIVATE "${source}")
  target_include_directories(${target} PRIVATE "${directory}")
endfunction()
