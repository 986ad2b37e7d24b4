// The layers with options, as bind.cpp adds them to the module.
#pragma once
#include <nanobind/nanobind.h>

void bind_variant(nanobind::module_& m);
