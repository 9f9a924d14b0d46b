# lowbit::torch, the one target through which anything reaches libtorch. LOWBIT_TORCH=AUTO takes it when it is there,
# ON insists, OFF builds without numeric plugins. Another libtorch than the system's:
#   -DTorch_DIR=.../share/cmake/Torch     by its own configuration, which wants CUDA's toolkit where it was built with it
#   -DLOWBIT_TORCH_ROOT=.../torch         include/ and lib/ alone, as PyPI's package has them; no toolkit is needed
set(LOWBIT_TORCH_ROOT "" CACHE PATH "A libtorch that is taken by its directories include and lib")
set(LOWBIT_HAS_TORCH OFF)
if(NOT LOWBIT_TORCH STREQUAL "OFF")
  if(LOWBIT_TORCH_ROOT)
    find_library(LOWBIT_TORCH_CPU torch_cpu PATHS "${LOWBIT_TORCH_ROOT}/lib" NO_DEFAULT_PATH REQUIRED)
    set(TORCH_INCLUDE_DIRS "${LOWBIT_TORCH_ROOT}/include" "${LOWBIT_TORCH_ROOT}/include/torch/csrc/api/include")
    # torch registers the backends, CUDA's too; nothing names a symbol of it, and the linker would leave it out.
    set(TORCH_LIBRARIES -Wl,--no-as-needed "${LOWBIT_TORCH_ROOT}/lib/libtorch.so" -Wl,--as-needed
      "${LOWBIT_TORCH_CPU}" "${LOWBIT_TORCH_ROOT}/lib/libc10.so" "-Wl,-rpath,${LOWBIT_TORCH_ROOT}/lib"
      -Wl,--allow-shlib-undefined)
    set(Torch_FOUND ON)
  elseif(LOWBIT_TORCH STREQUAL "ON")
    find_package(Torch REQUIRED)
  else()
    find_package(Torch QUIET)
  endif()
  if(Torch_FOUND)
    set(LOWBIT_HAS_TORCH ON)
    add_library(lowbit_torch INTERFACE)
    add_library(lowbit::torch ALIAS lowbit_torch)
    target_include_directories(lowbit_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
    target_link_libraries(lowbit_torch INTERFACE ${TORCH_LIBRARIES})
    # at::parallel_for is a template, and one thread's loop where it is compiled without OpenMP. Other compilers than GCC
    # would bring a second OpenMP into the process beside libtorch's: with them it stays that loop.
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
      find_package(OpenMP REQUIRED COMPONENTS CXX)
      target_link_libraries(lowbit_torch INTERFACE OpenMP::OpenMP_CXX)
    else()
      message(STATUS "lowbit's own numeric loops run on one thread: they are compiled with OpenMP by GCC only")
    endif()
  else()
    message(STATUS "libtorch was not found: the numeric plugins are left out (Debian: apt install libtorch-dev)")
  endif()
endif()
