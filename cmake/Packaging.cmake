# Install rules: headers, one static library per layer, and the package that find_package(tidewire) reads.
# A project that takes us in by add_subdirectory installs nothing of ours unless it asks.
option(TIDEWIRE_INSTALL "Install the library, the headers and the package" ${PROJECT_IS_TOP_LEVEL})
if(NOT TIDEWIRE_INSTALL)
  return()
endif()
include(CMakePackageConfigHelpers)

get_property(layers GLOBAL PROPERTY tidewire_layer_targets)
install(TARGETS tidewire ${layers} EXPORT tidewire
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(DIRECTORY include/tidewire DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library FILES_MATCHING PATTERN "*.h")
install(EXPORT tidewire NAMESPACE tidewire:: FILE tidewire-targets.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tidewire COMPONENT library)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/tidewire-config.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/tidewire-config.cmake INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tidewire)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/tidewire-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tidewire-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/tidewire-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tidewire COMPONENT library)
