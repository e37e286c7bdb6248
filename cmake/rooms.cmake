# SPDX-License-Identifier: Apache-2.0
# A room is a folder of the program with one library target; what it may link is what it may include
# (docs/ARCHITECTURE.md). tests/architecture reads every #include and fails on an upward one.

# natgpu_room(NAME [USES room ...] [LINKS target ...])
function(natgpu_room name)
  cmake_parse_arguments(ROOM "" "" "USES;LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  if(sources)
    add_library(natgpu_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(natgpu_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(natgpu::${name} ALIAS natgpu_${name})
  target_include_directories(natgpu_${name} ${scope} ${CMAKE_SOURCE_DIR}/include)
  foreach(room ${ROOM_USES})
    target_link_libraries(natgpu_${name} ${scope} natgpu::${room})
  endforeach()
  target_link_libraries(natgpu_${name} ${scope} ${ROOM_LINKS})
endfunction()
