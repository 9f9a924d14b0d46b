# Language level, output directories and the functions every room and test is declared with.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(LOWBIT_PLUGIN_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib/lowbit/plugins")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(LOWBIT_CCACHE ccache)
if(LOWBIT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${LOWBIT_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${LOWBIT_CCACHE}")
endif()

# Private to our own targets: never installed, never on by default for users.
add_library(lowbit_warnings INTERFACE)
add_library(lowbit::warnings ALIAS lowbit_warnings)
if(LOWBIT_DEV)
  target_compile_options(lowbit_warnings INTERFACE
    -Werror -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast>
    -Wno-missing-field-initializers  # designated initializers with defaulted members are our house style
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)  # false alarms on std::string concatenation, GCC bug 105651
endif()

if(LOWBIT_SANITIZE)
  add_compile_options(-fsanitize=${LOWBIT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LOWBIT_SANITIZE})
  if(LOWBIT_SANITIZE STREQUAL thread)
    # The thread sanitizer does not know fences: Boost.Asio can do without, what is left is only warned of by g++.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
    add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-tsan>)
  endif()
endif()

# lowbit_add_room(NAME [SOURCES file...] [PUBLIC target...] [PRIVATE target...])
# One static library per room of core/, alias lowbit::NAME; a room without sources is header-only.
function(lowbit_add_room name)
  cmake_parse_arguments(PARSE_ARGV 1 room "" "" "SOURCES;PUBLIC;PRIVATE")
  if(room_SOURCES)
    add_library(lowbit_${name} STATIC ${room_SOURCES})
    target_include_directories(lowbit_${name} PUBLIC "${PROJECT_SOURCE_DIR}/core")
    target_link_libraries(lowbit_${name} PUBLIC ${room_PUBLIC} PRIVATE ${room_PRIVATE} lowbit::warnings)
  else()
    add_library(lowbit_${name} INTERFACE)
    target_include_directories(lowbit_${name} INTERFACE "${PROJECT_SOURCE_DIR}/core")
    target_link_libraries(lowbit_${name} INTERFACE ${room_PUBLIC})
  endif()
  add_library(lowbit::${name} ALIAS lowbit_${name})
endfunction()

# lowbit_add_test(NAME SOURCES file... [LINK target...] [LABELS label...] [TIMEOUT seconds] [DEPENDS target...])
# One Catch2 program, one ctest entry. Labels: unit (no disk, clock or process), component, e2e, numerics.
function(lowbit_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 test "" "TIMEOUT" "SOURCES;LINK;LABELS;DEPENDS")
  add_executable(${name} ${test_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_compile_definitions(${name} PRIVATE
    LOWBIT_SOURCE_DIR="${PROJECT_SOURCE_DIR}" LOWBIT_BINARY_DIR="${PROJECT_BINARY_DIR}")
  target_link_libraries(${name} PRIVATE lowbit_catch_main ${test_LINK} lowbit::warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  if(test_DEPENDS)
    add_dependencies(${name} ${test_DEPENDS})
  endif()
  if(NOT test_TIMEOUT)
    set(test_TIMEOUT 60)
  endif()
  if(LOWBIT_SANITIZE)
    math(EXPR test_TIMEOUT "4 * ${test_TIMEOUT}")  # instrumented programs take that much longer
  endif()
  add_test(NAME ${name} COMMAND ${name} --use-colour no)
  set_tests_properties(${name} PROPERTIES LABELS "${test_LABELS}" TIMEOUT ${test_TIMEOUT})
endfunction()
