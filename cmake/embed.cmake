# SPDX-License-Identifier: Apache-2.0
# Files that the program writes out again, as texts of the program.

# natgpu_embed(TARGET FILE ...): makes embedded/<name>.inc of each, a raw string literal, for TARGET to include.
function(natgpu_embed target)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${target}-embedded)
  foreach(file ${ARGN})
    get_filename_component(name ${file} NAME)
    file(READ ${file} text)
    file(CONFIGURE OUTPUT ${folder}/embedded/${name}.inc CONTENT "R\"natgpu(@text@)natgpu\"\n" @ONLY)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  endforeach()
  target_include_directories(${target} PRIVATE ${folder})
endfunction()
