// A second device without hardware, that what runs on a GPU can be tried on: its tensors keep their numbers in a CPU
// tensor that only libtorch's operations reach. As on a GPU, an operation that reads tensors of two devices throws, and
// so does whoever asks for a pointer to the numbers. Its results are the CPU's, bit for bit.
//
// REQUIRES: c10::InferenceMode. Included by one file of a program.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include "lm/torch.h"

namespace lowbit::test {

inline const at::Device kOther(at::kIPU, 0);  // no build of libtorch has kernels for it

class OtherTensor : public c10::TensorImpl {
 public:
  explicit OtherTensor(at::Tensor numbers)
      : TensorImpl(c10::DispatchKeySet(c10::DispatchKey::IPU), numbers.dtype(), kOther), numbers_(std::move(numbers)) {
    take_shape();
  }
  [[nodiscard]] const at::Tensor& numbers() const { return numbers_; }
  /// After an operation that may have given the numbers another shape.
  void take_shape() {
    set_sizes_and_strides(numbers_.sizes(), numbers_.strides());
    set_storage_offset(numbers_.storage_offset());
  }

 private:
  at::Tensor numbers_;
};

/// Every operation: on the CPU, with the numbers of its arguments.
template <bool kCopies>
void on_the_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  std::vector<at::Tensor> arguments;
  const auto numbers_of = [&](const at::Tensor& tensor) -> at::Tensor {
    if (!tensor.defined()) return tensor;
    if (auto* other = dynamic_cast<OtherTensor*>(tensor.unsafeGetTensorImpl())) {
      arguments.push_back(tensor);
      return other->numbers();
    }
    if (!kCopies && tensor.dim() > 0) throw std::runtime_error(toString(op.operator_name()) + " mixes devices");
    return tensor;
  };
  const size_t n_arguments = op.schema().arguments().size();
  for (size_t i = stack->size() - n_arguments; i < stack->size(); ++i) {
    c10::IValue& value = (*stack)[i];
    if (value.isTensor()) {
      value = numbers_of(value.toTensor());
    } else if (value.isTensorList()) {
      std::vector<at::Tensor> list;
      for (const at::Tensor& tensor : value.toTensorVector()) list.push_back(numbers_of(tensor));
      value = c10::List<at::Tensor>(list);
    } else if (value.isOptionalTensorList()) {
      c10::List<c10::optional<at::Tensor>> list;
      for (const c10::optional<at::Tensor>& tensor : value.toOptionalTensorVector()) {
        list.push_back(tensor ? c10::optional<at::Tensor>(numbers_of(*tensor)) : tensor);
      }
      value = list;
    } else if (value.isDevice()) {
      value = c10::Device(at::kCPU);
    }
  }
  op.callBoxed(stack);
  const auto of_other = [&](const at::Tensor& tensor) -> at::Tensor {
    for (const at::Tensor& argument : arguments) {  // what was written in place
      if (static_cast<OtherTensor*>(argument.unsafeGetTensorImpl())->numbers().is_same(tensor)) return argument;
    }
    return at::detail::make_tensor<OtherTensor>(tensor);
  };
  for (const at::Tensor& argument : arguments) {
    static_cast<OtherTensor*>(argument.unsafeGetTensorImpl())->take_shape();
  }
  const bool to_cpu = kCopies && arguments.size() == 1;  // copy_ into a CPU tensor: it returns that
  for (size_t i = stack->size() - op.schema().returns().size(); i < stack->size(); ++i) {
    c10::IValue& value = (*stack)[i];
    if (value.isTensor() && value.toTensor().defined()) {
      const at::Tensor result = value.toTensor();
      value = to_cpu && op.schema().name() == "aten::copy_" ? result : of_other(result);
    } else if (value.isTensorList()) {
      std::vector<at::Tensor> list;
      for (const at::Tensor& tensor : value.toTensorVector()) list.push_back(of_other(tensor));
      value = c10::List<at::Tensor>(list);
    }
  }
}

}  // namespace lowbit::test

namespace lowbit::test {
using OtherGuard = c10::impl::NoOpDeviceGuardImpl<at::kIPU>;
}
C10_REGISTER_GUARD_IMPL(IPU, lowbit::test::OtherGuard)
TORCH_LIBRARY_IMPL(_, IPU, m) {
  m.fallback(torch::CppFunction::makeFromBoxedFunction<&lowbit::test::on_the_cpu<false>>());
}
TORCH_LIBRARY_IMPL(aten, IPU, m) {  // those that would otherwise be composed of what needs a pointer
  m.impl("copy_", torch::CppFunction::makeFromBoxedFunction<&lowbit::test::on_the_cpu<true>>());
  for (const char* name : {"detach", "alias", "_unsafe_view"}) {
    m.impl(name, torch::CppFunction::makeFromBoxedFunction<&lowbit::test::on_the_cpu<false>>());
  }
}
