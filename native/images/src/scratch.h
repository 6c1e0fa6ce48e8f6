#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

namespace millrace::images {

/**
 * Memory of one thread for one purpose, with any contents: what the next call needs, too, is not asked of the system again,
 * which would clear each page of it.
 */
template <typename Value>
class Scratch {
 public:
  Value* room(size_t count) {
    if (count > count_ || count_ > MOST) {
      values_.reset();
      count_ = 0;
      values_.reset(new Value[count]);
      count_ = count;
    }
    return values_.get();
  }

 private:
#if defined(__SANITIZE_ADDRESS__)
  /** Always of the size that is asked for, so that nothing beyond is taken for a part of it. */
  static constexpr size_t MOST = 0;
#else
  /** More is not kept for a call that needs less. */
  static constexpr size_t MOST = size_t(1) << 23;
#endif
  std::unique_ptr<Value[]> values_;
  size_t count_ = 0;
};

}  // namespace millrace::images
