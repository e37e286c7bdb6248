# SPDX-License-Identifier: Apache-2.0
# The C interface of COIN-OR's linear programming solver: target Clp::Clp. Its pkg-config file would link five more
# libraries that nothing here calls.
find_path(Clp_INCLUDE_DIR Clp_C_Interface.h PATH_SUFFIXES coin coin-or)
find_library(Clp_LIBRARY Clp)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Clp REQUIRED_VARS Clp_LIBRARY Clp_INCLUDE_DIR
                                  REASON_FAILURE_MESSAGE "install coinor-libclp-dev")
if(Clp_FOUND AND NOT TARGET Clp::Clp)
  add_library(Clp::Clp UNKNOWN IMPORTED)
  set_target_properties(Clp::Clp PROPERTIES IMPORTED_LOCATION ${Clp_LIBRARY}
                                            INTERFACE_INCLUDE_DIRECTORIES ${Clp_INCLUDE_DIR})
endif()
mark_as_advanced(Clp_INCLUDE_DIR Clp_LIBRARY)
