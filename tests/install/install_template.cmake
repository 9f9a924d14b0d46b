# cmake -DBUILD=... -DSOURCE=... -DWORK=... -P install_template.cmake
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nended with status ${status}:\n${output}")
  endif()
endfunction()

function(expect_file file)
  if(NOT EXISTS "${file}")
    message(FATAL_ERROR "${file} was expected and is not there")
  endif()
endfunction()

# The page that explains the template shows it as it is.
file(READ "${SOURCE}/plugins/template/plugin.cpp" code)
file(READ "${SOURCE}/docs/write-a-plugin.md" page)
string(FIND "${page}" "${code}" place)
if(place EQUAL -1)
  message(FATAL_ERROR "docs/write-a-plugin.md does not show plugins/template/plugin.cpp as it is")
endif()

file(REMOVE_RECURSE "${WORK}")
set(prefix "${WORK}/prefix")
run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${prefix}" --config "${CONFIG}")
foreach(file bin/lowbit include/lowbit/plugin_abi.h include/lowbit/sdk.hpp lib/lowbit/plugins/word-count.so
        lib/lowbit/plugins/word-count.plugin.json lib/cmake/lowbit/lowbitConfig.cmake)
  expect_file("${prefix}/${file}")
endforeach()

# Copied first: an author has the directory alone, not the tree around it.
file(COPY "${SOURCE}/plugins/template" DESTINATION "${WORK}")
run("${CMAKE_COMMAND}" -S "${WORK}/template" -B "${WORK}/build" -G "${GENERATOR}"
  "-DCMAKE_PREFIX_PATH=${prefix}" "-DCMAKE_C_COMPILER=${C_COMPILER}" "-DCMAKE_CXX_COMPILER=${CXX_COMPILER}"
  -DCMAKE_BUILD_TYPE=Debug)
run("${CMAKE_COMMAND}" --build "${WORK}/build")
file(READ "${WORK}/build/word-count.plugin.json" description)
string(JSON id GET "${description}" stages 0 id)
if(NOT id STREQUAL "example.word-count")
  message(FATAL_ERROR "the plugin describes itself as `${id}`")
endif()

# The installed program finds the installed plugins by itself, and the author's where it is told to. Both offer
# example.word-count, so each is looked at alone.
function(expect_listed program from)
  execute_process(COMMAND "${CMAKE_COMMAND}" -E env "LOWBIT_PLUGIN_PATH=${from}" "${program}" plugins --json
    OUTPUT_VARIABLE json ERROR_VARIABLE errors RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "lowbit plugins ended with status ${status}:\n${json}\n${errors}")
  endif()
  if(NOT json MATCHES "\"example.word-count\"")
    message(FATAL_ERROR "example.word-count is not listed:\n${json}")
  endif()
endfunction()
expect_listed("${prefix}/bin/lowbit" "")
file(REMOVE_RECURSE "${prefix}/lib/lowbit/plugins")
file(REMOVE "${WORK}/build/word-count.plugin.json")  # described again, by a child of the installed program
expect_listed("${prefix}/bin/lowbit" "${WORK}/build")
