// The part of recurra.kernels._native that runs layers with options.
#include "bind_variant.hpp"

#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <stdexcept>
#include <tuple>

#include "variant_stepper.hpp"

namespace nb = nanobind;
using namespace recurra;

namespace {

using Address = uintptr_t;
using Addresses = std::vector<Address>;
using Places = std::tuple<Address, int64_t, int64_t>;     // address, elements from step to step, from row to row
using PhiNumbers = std::tuple<int, double, double>;       // id, alpha, beta
using MaskNumbers = std::tuple<Address, Address, Address, double, double>;  // h_in, keep_h, keep_c, and their shares
using Pair = std::tuple<Address, Address>;                // of h and of c

template <class T = void> T* pointer(Address a) { return reinterpret_cast<T*>(a); }
Strided strided(const Places& p) { return {pointer(std::get<0>(p)), std::get<1>(p), std::get<2>(p)}; }
MaskArguments masks(const MaskNumbers& m) {
  return {pointer(std::get<0>(m)), pointer(std::get<1>(m)), pointer(std::get<2>(m)), std::get<3>(m), std::get<4>(m)};
}
Phi phi(const PhiNumbers& p) { return {std::get<0>(p), std::get<1>(p), std::get<2>(p)}; }

// Ten a direction: w_ih w_hh b_ih b_hh w_hr, w_p n_ih n_hh n_c m_c.
template <class All> std::vector<All> by_direction(const Addresses& a) {
  if (a.size() % 10) throw std::invalid_argument("ten parts of weights a direction");
  std::vector<All> all;
  for (size_t i = 0; i < a.size(); i += 10) {
    const auto at = [&](size_t k) { return pointer(a[i + k]); };
    all.push_back({{at(0), at(1), at(2), at(3), at(4)}, at(5), at(6), at(7), at(8), at(9)});
  }
  return all;
}

std::unique_ptr<VariantTapes> run_forward(const Layer& layer, const Options& options, const Places& x, const Places& y,
                                          const Addresses& weights, const MaskNumbers& m, const Pair& first,
                                          const Pair& last, bool keep) {
  const VariantForwardArguments a{strided(x), strided(y), by_direction<VariantWeights>(weights), masks(m),
                                  pointer(std::get<0>(first)), pointer(std::get<1>(first)), pointer(std::get<0>(last)),
                                  pointer(std::get<1>(last)), keep};
  nb::gil_scoped_release release;
  return forward(layer, options, a);
}

void run_backward(VariantTapes& tapes, const Places& x, const Places& y, const Places& dy, const Places& dx, int64_t dx_direction,
                  const Addresses& weights, const Addresses& gradients, const MaskNumbers& m, const Pair& first,
                  const Pair& dlast, const Pair& dfirst, bool keep) {
  const VariantBackwardArguments a{strided(x), strided(y), strided(dy), strided(dx), dx_direction,
                                   by_direction<VariantWeights>(weights), by_direction<VariantGradients>(gradients), masks(m),
                                   pointer(std::get<0>(first)), pointer(std::get<1>(first)), pointer(std::get<0>(dlast)),
                                   pointer(std::get<1>(dlast)), pointer(std::get<0>(dfirst)), pointer(std::get<1>(dfirst)), keep};
  nb::gil_scoped_release release;
  backward(tapes, a);
}

}  // namespace

void bind_variant(nb::module_& m) {
  nb::class_<VariantTapes>(m, "VariantTapes", "What a forward pass with options keeps for its backward pass.")
      .def_prop_ro("bytes", &VariantTapes::bytes);
  nb::class_<Options>(m, "Options", "What differs from the plain recurrence; a bound of infinity clips nothing.")
      .def("__init__",
           [](Options* self, const PhiNumbers& gate, const PhiNumbers& candidate, const PhiNumbers& output, double clip,
              double cell_clip, double projection_clip, int norm, int coupling, double eps) {
             new (self) Options{phi(gate), phi(candidate), phi(output), clip, cell_clip, projection_clip, norm, coupling, eps};
           },
           nb::arg("gate"), nb::arg("candidate"), nb::arg("output"), nb::arg("clip"), nb::arg("cell_clip"),
           nb::arg("projection_clip"), nb::arg("norm"), nb::arg("coupling"), nb::arg("eps"));
  nb::class_<Layer>(m, "Layer", "The sizes of one call; lengths and batch_sizes are addresses of int64, or 0.")
      .def("__init__",
           [](Layer* self, int kind, bool is_double, int64_t T, int64_t B, int64_t I, int64_t H, int64_t P, int64_t D,
              bool projected, int threads, Address lengths, Address batch_sizes, bool reverse) {
             new (self) Layer{kind, kTanh, is_double, T, B, I, H, P, D, projected, threads, pointer<const int64_t>(lengths),
                              pointer<const int64_t>(batch_sizes), reverse};
           },
           nb::arg("kind"), nb::arg("is_double"), nb::arg("steps"), nb::arg("rows"), nb::arg("inputs"), nb::arg("hidden"),
           nb::arg("width"), nb::arg("directions"), nb::arg("projected"), nb::arg("threads"), nb::arg("lengths"),
           nb::arg("batch_sizes"), nb::arg("reverse"));
  nb::class_<VariantStepper, Stepper>(m, "VariantStepper", "The carried state of a stack of layers with options.")
      .def("__init__", [](VariantStepper* self, const Layer& layer, const Options& options, const Addresses& weights,
                          const std::tuple<double, double>& shares) {
        new (self) VariantStepper(layer, options, by_direction<VariantWeights>(weights), std::get<0>(shares), std::get<1>(shares));
      });
  m.def("variant_forward", &run_forward, "One layer with options over a batch, all directions; gives its tapes if they are kept.");
  m.def("variant_backward", &run_backward, "The gradients of one layer with options.");
}
