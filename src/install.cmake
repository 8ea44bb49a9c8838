# SPDX-License-Identifier: BSD-3-Clause
#
# The library weft, made of the layers' objects, and what `cmake --install` lays down. Included by
# CMakeLists.txt once all layers are there.

option(BUILD_SHARED_LIBS "Build libweft as a shared library" ON)

get_property(layers GLOBAL PROPERTY WEFT_LAYERS)
set(objects "")
set(owned "")
foreach(layer ${layers})
  list(APPEND objects $<TARGET_OBJECTS:${layer}>)
  get_property(owns TARGET ${layer} PROPERTY WEFT_OWNS)
  list(APPEND owned ${owns})
endforeach()
list(REMOVE_DUPLICATES owned)

# As long as the version is 0.x, a new minor version may break its users.
set(soversion ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})

# A shared library hides what is not WEFT_API from its user; an archive of the objects would not, and
# a program with a log_print() of its own would not link. So the archive holds a single object, in
# which the hidden names have become local.
if(NOT BUILD_SHARED_LIBS)
  set(whole ${CMAKE_CURRENT_BINARY_DIR}/weft.o)
  set(relocatable -r -nostdlib)
  if(CMAKE_C_COMPILER_ID STREQUAL GNU)
    list(APPEND relocatable -flinker-output=nolto-rel)
  endif()
  add_custom_command(OUTPUT ${whole}
    COMMAND ${CMAKE_C_COMPILER} ${relocatable} -o ${whole} ${objects}
    COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${whole}
    DEPENDS ${objects} ${layers} COMMAND_EXPAND_LISTS VERBATIM
    COMMENT "Making the names local that only libweft may use")
  set_source_files_properties(${whole} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  set(objects ${whole})
endif()

# What the layers own is an affair of this build: a user of the shared library needs none of it,
# and weftConfig.cmake brings it to a user of the static one.
add_library(weft ${objects})
add_library(weft::weft ALIAS weft)
set_target_properties(weft PROPERTIES
  LINKER_LANGUAGE C VERSION ${PROJECT_VERSION} SOVERSION ${soversion})
target_include_directories(weft INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
# Handlers of signals and of exit() stay to the end of the process, also of one that has loaded the
# library as a plugin and lets go of it.
if(BUILD_SHARED_LIBS)
  target_link_options(weft PRIVATE -Wl,-z,nodelete)
endif()
foreach(library ${owned} Threads::Threads m)
  target_link_libraries(weft PRIVATE $<BUILD_INTERFACE:${library}>)
endforeach()

# An installed program finds the library beside itself. The parent scope is that of apps/.
file(RELATIVE_PATH to_library ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
set(CMAKE_INSTALL_RPATH $ORIGIN/${to_library})
set(CMAKE_INSTALL_RPATH $ORIGIN/${to_library} PARENT_SCOPE)

install(TARGETS weft EXPORT weft)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/weft
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

install(DIRECTORY ${PROJECT_SOURCE_DIR}/apps/examples DESTINATION ${CMAKE_INSTALL_DOCDIR}
  PATTERN ".clang-format" EXCLUDE
  PATTERN ".clang-tidy" EXCLUDE)

include(CMakePackageConfigHelpers)
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/weft)
configure_package_config_file(weftConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/weftConfig.cmake
  INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/weftConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(EXPORT weft NAMESPACE weft:: FILE weftTargets.cmake DESTINATION ${config_dir})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/weftConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/weftConfigVersion.cmake DESTINATION ${config_dir})

# weft.pc finds its prefix from where it lies, so that `cmake --install --prefix` needs no edit.
file(RELATIVE_PATH to_prefix
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" to_prefix ${to_prefix})
set(static_libraries
  ${HDF5_LDFLAGS} ${HWLOC_LDFLAGS} ${XXHASH_LDFLAGS} ${MPI_C_LIBRARIES} ${OpenMP_C_LIBRARIES} -lm)
list(JOIN static_libraries " " static_libraries)
configure_file(weft.pc.in weft.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/weft.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
