# lowbit_add_plugin(NAME SOURCES file... [LINK target...] [INCLUDE dir...] [OUTPUT_DIRECTORY dir])
#
# Builds a lowbit plugin: a module that exports `lowbit_plugin` and nothing else, and beside it NAME.plugin.json, its
# description, so that lowbit can list and check it without loading it. Works in lowbit's own tree and, after
# find_package(lowbit), in an author's. Plugins are installed into lib/lowbit/plugins, where lowbit looks for them; one
# with an OUTPUT_DIRECTORY of its own is not installed.
function(lowbit_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 plugin "" "OUTPUT_DIRECTORY" "SOURCES;LINK;INCLUDE")
  set(version_script "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/lowbit_plugin.map")
  if(plugin_OUTPUT_DIRECTORY)
    set(directory "${plugin_OUTPUT_DIRECTORY}")
  elseif(LOWBIT_PLUGIN_OUTPUT_DIRECTORY)
    set(directory "${LOWBIT_PLUGIN_OUTPUT_DIRECTORY}")
  else()
    set(directory "${CMAKE_CURRENT_BINARY_DIR}")
  endif()
  set(description "${directory}/${name}.plugin.json")

  add_library(${name} MODULE ${plugin_SOURCES})
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_link_libraries(${name} PRIVATE lowbit::sdk ${plugin_LINK})
  target_include_directories(${name} PRIVATE ${plugin_INCLUDE})
  if(TARGET lowbit::warnings)
    target_link_libraries(${name} PRIVATE lowbit::warnings)
  endif()
  set_target_properties(${name} PROPERTIES
    PREFIX "" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY "${directory}"
    # Installing must not rewrite the file: its digest stands in the description.
    BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH_USE_LINK_PATH ON
    LINK_DEPENDS "${version_script}")
  # -z nodelete: a library with libtorch under it cannot be unloaded; the version script keeps weak std:: symbols in.
  target_link_options(${name} PRIVATE -Wl,-z,nodelete "-Wl,--version-script=${version_script}")
  if(NOT LOWBIT_SANITIZE)
    target_link_options(${name} PRIVATE -Wl,--no-undefined)  # sanitizer runtimes live in the program
  endif()

  add_dependencies(${name} lowbit::program)
  add_custom_command(TARGET ${name} POST_BUILD VERBATIM
    COMMAND $<TARGET_FILE:lowbit::program> worker --describe "$<TARGET_FILE:${name}>" --output "${description}"
    BYPRODUCTS "${description}"
    COMMENT "Describing plugin ${name}")
  if(NOT plugin_OUTPUT_DIRECTORY)
    if(TARGET what-users-run)  # in lowbit's own tree
      add_dependencies(what-users-run ${name})
    endif()
    install(TARGETS ${name} LIBRARY DESTINATION lib/lowbit/plugins)
    install(FILES "${description}" DESTINATION lib/lowbit/plugins)
  endif()
endfunction()
