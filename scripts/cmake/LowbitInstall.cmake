# What `cmake --install` puts down: bin/lowbit, include/lowbit, lib/lowbit/plugins (lowbit_add_plugin), and the package
# lib/cmake/lowbit with lowbit::sdk, lowbit::program and lowbit_add_plugin() for authors outside this tree.
include(CMakePackageConfigHelpers)

set(package_dir lib/cmake/lowbit)
install(TARGETS lowbit lowbit_sdk EXPORT lowbitTargets RUNTIME DESTINATION bin)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/core/sdk/include/lowbit" DESTINATION include)
install(EXPORT lowbitTargets NAMESPACE lowbit:: DESTINATION ${package_dir})

set(cmake_dir "${PROJECT_SOURCE_DIR}/scripts/cmake")
configure_package_config_file("${cmake_dir}/lowbitConfig.cmake.in" "${PROJECT_BINARY_DIR}/lowbitConfig.cmake"
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file("${PROJECT_BINARY_DIR}/lowbitConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/lowbitConfig.cmake" "${PROJECT_BINARY_DIR}/lowbitConfigVersion.cmake"
    "${cmake_dir}/LowbitAddPlugin.cmake" "${cmake_dir}/lowbit_plugin.map"
  DESTINATION ${package_dir})
