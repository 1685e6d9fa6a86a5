# tidewire_layer(NAME [NOT_INSTALLED] [LIBRARIES ...]): the folder src/NAME as the static library tidewire_NAME.
#
# NOT_INSTALLED keeps it out of the package: only our own programs link it.
# Sources are every *.cc of the folder; *_test.cc go to the program NAME_test (label unit), *_bench.cc to NAME_bench.
# Which layers it may use (include and link) comes from src/LAYERS, the one place that says so.

file(STRINGS ${CMAKE_CURRENT_SOURCE_DIR}/src/LAYERS tidewire_layer_lines REGEX "^[a-z]+:")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/LAYERS)

function(tidewire_layer_uses name out)
  foreach(line IN LISTS tidewire_layer_lines)
    if(line MATCHES "^${name}:(.*)$")
      string(REGEX REPLACE "#.*" "" uses "${CMAKE_MATCH_1}")
      string(REGEX MATCHALL "[a-z]+" uses "${uses}")
      set(${out} ${uses} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "src/LAYERS has no line for ${name}")
endfunction()

function(tidewire_layer name)
  cmake_parse_arguments(arg "NOT_INSTALLED" "" "LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cc)
  set(tests ${sources})
  set(benches ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cc$")
  if(NOT sources)
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${name}_empty.cc "namespace tidewire {}\n")
    set(sources ${CMAKE_CURRENT_BINARY_DIR}/${name}_empty.cc)
  endif()

  set(target tidewire_${name})
  add_library(${target} STATIC ${sources})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden EXPORT_NAME ${name})
  tidewire_layer_uses(${name} uses)
  foreach(layer IN LISTS uses)
    target_link_libraries(${target} PUBLIC tidewire_${layer})
  endforeach()
  target_link_libraries(${target} PUBLIC ${arg_LIBRARIES})
  if(NOT arg_NOT_INSTALLED)
    set_property(GLOBAL APPEND PROPERTY tidewire_layer_targets ${target})
  endif()

  if(TIDEWIRE_BUILD_TESTS AND tests)
    tidewire_test(${name}_test SOURCES ${tests} LIBRARIES ${target} LABELS unit)
  endif()
  if(TIDEWIRE_BUILD_BENCH AND benches)
    find_package(benchmark REQUIRED)
    add_executable(${name}_bench EXCLUDE_FROM_ALL ${benches})
    target_include_directories(${name}_bench PRIVATE ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(${name}_bench PRIVATE ${target} benchmark::benchmark benchmark::benchmark_main)
  endif()
endfunction()

# tidewire_test(NAME SOURCES ... LIBRARIES ... LABELS ...): one GoogleTest program, one ctest entry. Its cases are counted from
# the JSON it writes, see script/test.
function(tidewire_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  find_package(GTest REQUIRED)
  add_executable(${name} ${arg_SOURCES})
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/test ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${name} PRIVATE TIDEWIRE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} GTest::gmock GTest::gtest GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name} --gtest_output=json:${CMAKE_BINARY_DIR}/results/${name}.json)
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT 300)
endfunction()
