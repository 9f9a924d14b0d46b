#include "lm/train/checkpoint.h"

#include <string>
#include <utility>
#include <vector>

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

namespace lowbit::lm::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// What the backward pass needs besides tensors.
struct Recipe : torch::CustomClassHolder {
  Part part;
  std::vector<std::string> names;  // of the leaves, in the order in which they are saved

  [[nodiscard]] at::Tensor run(const at::Tensor& x, at::TensorList leaves) const {
    NamedTensors by_name;
    for (size_t i = 0; i < names.size(); ++i) by_name[names[i]] = leaves[i];
    return part(x, by_name);
  }
};

struct Checkpointed : torch::autograd::Function<Checkpointed> {
  static at::Tensor forward(AutogradContext* context, const c10::intrusive_ptr<Recipe>& recipe, const at::Tensor& x,
                            at::TensorList leaves) {
    context->saved_data["recipe"] = c10::IValue::make_capsule(recipe);
    variable_list saved{x};
    saved.insert(saved.end(), leaves.begin(), leaves.end());
    context->save_for_backward(std::move(saved));
    return recipe->run(x, leaves);
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto capsule = context->saved_data["recipe"].toCapsule();
    const auto& recipe = static_cast<const Recipe&>(*capsule);
    variable_list inputs = context->get_saved_variables();
    variable_list differentiated;
    for (at::Tensor& input : inputs) {
      const bool is_trained = input.requires_grad();
      input = input.detach();
      if (is_trained) differentiated.push_back(input.requires_grad_(true));
    }
    const at::AutoGradMode with_graph(true);
    const at::Tensor y = recipe.run(inputs.front(), at::TensorList(inputs).slice(1));
    const variable_list found = torch::autograd::grad({y}, differentiated, gradients);
    variable_list result{at::Tensor()};  // of the recipe
    size_t next = 0;
    for (const at::Tensor& input : inputs) result.push_back(input.requires_grad() ? found[next++] : at::Tensor());
    return result;
  }
};

}  // namespace

at::Tensor checkpointed(const Part& part, const at::Tensor& x, const NamedTensors& leaves) {
  bool is_trained = x.requires_grad();
  auto recipe = c10::make_intrusive<Recipe>();
  variable_list tensors;
  for (const auto& [name, leaf] : leaves) {
    is_trained = is_trained || leaf.requires_grad();
    recipe->names.push_back(name);
    tensors.push_back(leaf);
  }
  if (!c10::GradMode::is_enabled() || !is_trained) return part(x, leaves);
  recipe->part = part;
  return Checkpointed::apply(recipe, x, at::TensorList(tensors));
}

}  // namespace lowbit::lm::train
