# lowbit_add_plugin(NAME SOURCES file... [LINK target...] [INCLUDE dir...])
#
# Builds a lowbit plugin: a module that exports `lowbit_plugin` and nothing else, and beside it NAME.plugin.json, its
# description, so that lowbit can list and check it without loading it. Works in this tree and, after
# find_package(lowbit), in an author's own.
set(LOWBIT_PLUGIN_VERSION_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/lowbit_plugin.map" CACHE INTERNAL "")

function(lowbit_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 plugin "" "" "SOURCES;LINK;INCLUDE")
  if(NOT LOWBIT_PLUGIN_OUTPUT_DIRECTORY)
    set(LOWBIT_PLUGIN_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lowbit-plugins")
  endif()
  add_library(${name} MODULE ${plugin_SOURCES})
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_link_libraries(${name} PRIVATE lowbit::sdk ${plugin_LINK})
  target_include_directories(${name} PRIVATE ${plugin_INCLUDE})
  if(TARGET lowbit::warnings)
    target_link_libraries(${name} PRIVATE lowbit::warnings)
  endif()
  set_target_properties(${name} PROPERTIES
    PREFIX "" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY "${LOWBIT_PLUGIN_OUTPUT_DIRECTORY}"
    LINK_DEPENDS "${LOWBIT_PLUGIN_VERSION_SCRIPT}")
  # -z nodelete: a library with libtorch under it cannot be unloaded; the version script keeps weak std:: symbols in.
  target_link_options(${name} PRIVATE -Wl,-z,nodelete "-Wl,--version-script=${LOWBIT_PLUGIN_VERSION_SCRIPT}")
  if(NOT LOWBIT_SANITIZE)
    target_link_options(${name} PRIVATE -Wl,--no-undefined)  # sanitizer runtimes live in the program
  endif()

  if(TARGET lowbit)
    set(program "$<TARGET_FILE:lowbit>")
    add_dependencies(${name} lowbit)
  else()
    set(program lowbit::program)
  endif()
  add_custom_command(TARGET ${name} POST_BUILD VERBATIM
    COMMAND ${program} worker --describe "$<TARGET_FILE:${name}>"
            --output "${LOWBIT_PLUGIN_OUTPUT_DIRECTORY}/${name}.plugin.json"
    COMMENT "Describing plugin ${name}")
endfunction()
