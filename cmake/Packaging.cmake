# Install rules: headers, one static library per layer, and the package that find_package(tidewire) reads.
include(CMakePackageConfigHelpers)

get_property(layers GLOBAL PROPERTY tidewire_layer_targets)
install(TARGETS tidewire ${layers} EXPORT tidewire
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(DIRECTORY include/tidewire DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library FILES_MATCHING PATTERN "*.h")
install(EXPORT tidewire NAMESPACE tidewire:: FILE tidewire-targets.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tidewire COMPONENT library)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/tidewire-config.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/tidewire-config.cmake INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tidewire)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/tidewire-config-version.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tidewire-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/tidewire-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tidewire COMPONENT library)
