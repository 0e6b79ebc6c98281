// A test's kernel, lent to code that wants one of its own.
#pragma once

#include <string>
#include <vector>

#include "node-helper/converge/kernel.h"

namespace drover {

class LentKernel : public Kernel {
 public:
  // `kernel` must outlive this.
  explicit LentKernel(Kernel& kernel) : kernel_(kernel) {}
  Result<DesiredState> Observe(const std::vector<std::string>& keys) override {
    return kernel_.Observe(keys);
  }
  Status Apply(const Change& change) override { return kernel_.Apply(change); }
  Status Rehearse(const Change& change) override { return kernel_.Rehearse(change); }

 private:
  Kernel& kernel_;
};

}  // namespace drover
