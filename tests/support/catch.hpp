// SPDX-License-Identifier: Apache-2.0
// One include for Catch2, whichever major version the system has.
#pragma once
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>  // brings Approx into the global namespace itself
#endif
