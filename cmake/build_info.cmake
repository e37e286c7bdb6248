# SPDX-License-Identifier: Apache-2.0
# Writes the commit that is being built to a header, at build time, and only when it has changed.
# cmake -D SOURCE=dir -D OUTPUT=file -P build_info.cmake
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed OR commit STREQUAL "")
  set(commit unknown)
endif()
set(text "// SPDX-License-Identifier: Apache-2.0\n#define NATGPU_COMMIT \"${commit}\"\n")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} present)
endif()
if(NOT text STREQUAL "${present}")
  file(WRITE ${OUTPUT} "${text}")
endif()
