#include "table.h"

namespace millrace {

int64_t Table::add(Slot slot) {
  slots.emplace(next, std::move(slot));
  return next++;
}

Slot& Table::at(int64_t id) {
  auto found = slots.find(id);
  TORCH_CHECK(found != slots.end(), "expected a tensor that is alive, got number ", id);
  return found->second;
}

Tensor Table::tensor(int64_t id) {
  return at(id).tensor.to(device);
}

Tensor Table::weight(int64_t id) {
  Slot& slot = at(id);
  if (precision == at::kFloat || !slot.written) return tensor(id).to(precision);
  if (!slot.rounded.defined()) {
    slot.rounded = tensor(id).to(precision);
    if (!device.is_cpu()) slot.tensor = slot.tensor.to(at::kCPU);
  }
  return slot.rounded;
}

void Table::forgetRounded() {
  for (auto& [id, slot] : slots) slot.rounded = Tensor();
}

size_t Table::bytes() const {
  std::unordered_set<const void*> seen;
  size_t total = 0;
  auto count = [&](const Tensor& tensor) {
    if (!tensor.defined() || !seen.insert(tensor.storage().unsafeGetStorageImpl()).second) return;
    total += tensor.storage().nbytes();
  };
  for (const auto& [id, slot] : slots) {
    count(slot.tensor);
    count(slot.rounded);
    for (const Tensor& tensor : slot.beside) count(tensor);
  }
  return total;
}

std::string written(at::IntArrayRef shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); i++) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

}  // namespace millrace
