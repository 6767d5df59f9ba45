# SPDX-License-Identifier: MIT
# version.cmake - run at every build: writes version.h where the commit has changed.
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12
  OUTPUT_VARIABLE TAILRACE_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT TAILRACE_COMMIT)
  set(TAILRACE_COMMIT unknown)
endif()
configure_file(${SOURCE}/harness/base/version.h.in ${OUTPUT} @ONLY)
