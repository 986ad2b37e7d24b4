// The Python module recurra.kernels._native: addresses and strides in, nothing of PyTorch.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <stdexcept>

#include "bind_variant.hpp"
#include "frozen.hpp"
#include "stepper.hpp"

namespace nb = nanobind;
using namespace recurra;

namespace {

using Address = uintptr_t;
using Addresses = std::vector<Address>;

template <class T = void> T* pointer(Address a) { return reinterpret_cast<T*>(a); }

std::vector<LayerWeights> weights_of(const Addresses& a) {
  std::vector<LayerWeights> weights;
  for (size_t i = 0; i + 5 <= a.size(); i += 5)
    weights.push_back({pointer(a[i]), pointer(a[i + 1]), pointer(a[i + 2]), pointer(a[i + 3]), pointer(a[i + 4])});
  return weights;
}

// Where the tensors of these names lie now, 0 for a name that is None.
Addresses addresses_of(const nb::dict& parameters, const nb::tuple& names) {
  static PyObject* const data_ptr = PyUnicode_InternFromString("data_ptr");
  Addresses found;
  found.reserve(names.size());
  for (size_t i = 0; i < names.size(); i++) {
    PyObject* name = PyTuple_GET_ITEM(names.ptr(), Py_ssize_t(i));
    PyObject* tensor = name == Py_None ? nullptr : PyDict_GetItemWithError(parameters.ptr(), name);
    if (!tensor || tensor == Py_None) {
      if (PyErr_Occurred()) throw nb::python_error();
      found.push_back(0);
      continue;
    }
    const nb::object address = nb::steal(PyObject_CallMethodNoArgs(tensor, data_ptr));
    if (!address.is_valid()) throw nb::python_error();
    found.push_back(nb::cast<Address>(address));
  }
  return found;
}

std::vector<WeightGradients> gradients_of(const Addresses& a) {
  std::vector<WeightGradients> gradients;
  for (size_t i = 0; i + 5 <= a.size(); i += 5)
    gradients.push_back({pointer(a[i]), pointer(a[i + 1]), pointer(a[i + 2]), pointer(a[i + 3]), pointer(a[i + 4])});
  return gradients;
}

std::unique_ptr<Tapes> run_forward(int kind, int activation, bool is_double, int64_t T, int64_t B, int64_t I, int64_t H,
                                   int64_t P, int64_t D, bool projected, int threads, Address lengths,
                                   Address batch_sizes, Address x, int64_t x_time, int64_t x_row, Address y,
                                   int64_t y_time, int64_t y_row, const Addresses& weights, Address h0, Address c0,
                                   Address hn, Address cn, bool keep, bool reverse, const Frozen* frozen) {
  const Layer layer{kind, activation, is_double, T, B, I, H, P, D, projected, threads, pointer<const int64_t>(lengths),
                    pointer<const int64_t>(batch_sizes), reverse};
  const ForwardArguments a{{pointer(x), x_time, x_row}, {pointer(y), y_time, y_row}, weights_of(weights),
                           pointer(h0), pointer(c0), pointer(hn), pointer(cn), keep, frozen};
  nb::gil_scoped_release release;
  return forward(layer, a);
}

void run_backward(Tapes& tapes, Address x, int64_t x_time, int64_t x_row, Address y, int64_t y_time, int64_t y_row,
                  Address dy, int64_t dy_time, int64_t dy_row, Address dx, int64_t dx_time, int64_t dx_row,
                  int64_t dx_direction, const Addresses& weights, const Addresses& gradients, Address h0, Address c0,
                  Address dhn, Address dcn, Address dh0, Address dc0, bool keep) {
  const BackwardArguments a{{pointer(x), x_time, x_row},   {pointer(y), y_time, y_row}, {pointer(dy), dy_time, dy_row},
                            {pointer(dx), dx_time, dx_row}, dx_direction,                weights_of(weights),
                            gradients_of(gradients),        pointer(h0),                 pointer(c0),
                            pointer(dhn),                   pointer(dcn),                pointer(dh0),
                            pointer(dc0),                   keep};
  nb::gil_scoped_release release;
  backward(tapes, a);
}

// Operations per second in float32 of `threads` threads that begin together.
double run_peak(int threads, int64_t repeats) {
  if (threads < 1 || repeats < 1) throw std::invalid_argument("threads and repeats should be above zero");
  nb::gil_scoped_release release;
  double operations = 0, seconds = 0;
  int ran = 0;
  std::vector<float> sums(size_t(threads) * 16);
  run_team(threads, [&](const Team& team) {
    team.sync();
    const auto begun = std::chrono::steady_clock::now();
    const double done = kernels<float>().peak(repeats, &sums[size_t(team.rank) * 16]);
    team.sync();
    if (team.rank) return;
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    operations = done * team.size;
    ran = team.size;
  });
  if (ran != threads) throw std::runtime_error("the threads are busy with other work");
  return operations / seconds;
}

}  // namespace

NB_MODULE(_native, m) {
  using Input = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;
  using Output = nb::ndarray<nb::c_contig, nb::device::cpu>;
  using RowList = nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
  nb::set_leak_warnings(false);  // a graph that is alive at exit holds its tapes
  m.doc() = "Recurra's own kernels for the CPU.";
  nb::class_<Tapes>(m, "Tapes", "What a forward pass keeps for its backward pass.").def_prop_ro("bytes", &Tapes::bytes);
  nb::class_<Stepper>(m, "Stepper", "Packed weights and carried state of a stack of layers.")
      .def("__init__",
           [](Stepper* self, int kind, int activation, bool is_double, int64_t B, int64_t I, int64_t H, int64_t P,
              bool projected, const Addresses& weights) {
             const Layer layer{kind, activation, is_double, 1, B, I, H, P, 1, projected, 1, nullptr, nullptr};
             new (self) Stepper(layer, weights_of(weights));
           })
      .def("step",
           [](Stepper& self, const Input& x, const Output& y, const nb::dict& parameters, const nb::tuple& names,
              const std::optional<RowList>& rows) {
             if (!self.holds(addresses_of(parameters, names))) return false;
             const Layer& l = self.layer();
             const int64_t count = rows ? int64_t(rows->shape(0)) : l.B;
             const auto type = l.is_double ? nb::dtype<double>() : nb::dtype<float>();
             if (x.dtype() != type || y.dtype() != type) throw nb::type_error("another type than the layer's");
             if (int64_t(x.size()) != count * l.I || int64_t(y.size()) != count * l.P)
               throw nb::value_error("another size than the layer's");
             self.step(x.data(), y.data(), rows ? rows->data() : nullptr, count);
             return true;
           },
           nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg().none(),
           "One observation; false, and nothing is done, if a parameter lies elsewhere than when the weights were packed.")
      .def("step_at",
           [](Stepper& self, Address x, Address y, const nb::dict& parameters, const nb::tuple& names,
              const std::optional<RowList>& rows) {
             if (!self.holds(addresses_of(parameters, names))) return false;
             self.step(pointer(x), pointer(y), rows ? rows->data() : nullptr, rows ? int64_t(rows->shape(0)) : self.layer().B);
             return true;
           },
           nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg().none())
      .def("run",
           [](Stepper& self, const Input& x, const Output& y, const nb::dict& parameters, const nb::tuple& names) {
             if (!self.holds(addresses_of(parameters, names))) return false;
             const Layer& l = self.layer();
             const size_t element = l.is_double ? sizeof(double) : sizeof(float), in = size_t(l.B * l.I), out = size_t(l.B * l.P);
             const auto type = l.is_double ? nb::dtype<double>() : nb::dtype<float>();
             if (x.dtype() != type || y.dtype() != type) throw nb::type_error("another type than the layer's");
             const size_t steps = x.ndim() ? x.shape(0) : 0;
             if (x.size() != steps * in || y.size() != steps * out) throw nb::value_error("another size than the layer's");
             const char* from = static_cast<const char*>(x.data());
             char* to = static_cast<char*>(y.data());
             for (size_t t = 0; t < steps; t++) self.step(from + t * in * element, to + t * out * element, nullptr, l.B);
             return true;
           },
           "Several observations of every row, one after the other; false, and nothing is done, as for step.")
      .def("get", [](const Stepper& self, Address h, Address c) { self.get(pointer(h), pointer(c)); })
      .def("set", [](Stepper& self, Address h, Address c) { self.set(pointer(h), pointer(c)); });
  nb::class_<Frozen>(m, "Frozen", "Packed weights of a layer, kept from call to call.")
      .def("__init__",
           [](Frozen* self, int kind, bool is_double, int64_t I, int64_t H, int64_t P, int64_t D, bool projected, int threads,
              const Addresses& weights) {
             const Layer layer{kind, 0, is_double, 1, 1, I, H, P, D, projected, threads, nullptr, nullptr};
             new (self) Frozen(layer, weights_of(weights));
           })
      .def("__deepcopy__", [](nb::object self, nb::object) { return self; }, "Itself: a copy of the layer packs again if its weights change.")
      .def_prop_ro("bytes", &Frozen::bytes);
  m.def("forward", &run_forward, nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(),
        nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(),
        nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg().none(),
        "One layer over a batch, all directions; gives its tapes if they are kept.");
  m.def("backward", &run_backward, "The gradients of one layer.");
  m.def("instruction_set", [] { return std::string(instruction_set()); }, "avx512, avx2, neon or baseline: what the kernels run on.");
  m.def("peak", &run_peak, "Multiply-adds that the threads can do, as float32 operations per second.");
  m.def("built_with", [] { return std::string(
#if defined(__clang__)
      "Clang "
#else
      "GCC "
#endif
      __VERSION__); }, "The compiler that built the kernels.");
  bind_variant(m);
  m.def("kept_bytes", &kept_bytes, "Memory held for the next call.");
}
