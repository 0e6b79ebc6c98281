// The text of a template together with where it stands, so that an error deep inside a quoted or
// folded YAML scalar still points at the right line and column.
//
// Pure. Places are worked out only when an error is said.
#pragma once

#include <cstddef>
#include <string>

#include "orchestrator/source/diagnostic.h"
#include "orchestrator/source/yaml_node.h"

namespace drover {

// A template's characters and the way from an offset in them to a place in the user's file.
struct TemplateText {
  enum class Origin {
    kScalar,     // a YAML scalar; `place` is where it starts, quotes and escapes are followed
    kFile,       // a whole file; offsets are offsets in it
    kElsewhere,  // text without a place of its own: every offset is `place`
  };

  std::string text;
  Place place;
  Origin origin = Origin::kElsewhere;
  std::size_t skipped = 0;  // of a file: how much stands before `text`

  [[nodiscard]] Place At(std::size_t offset) const;

  static TemplateText OfScalar(const YamlNode& node) {
    return TemplateText{node.scalar, node.place, Origin::kScalar, 0};
  }
  static TemplateText OfFile(const SourceFilePtr& file, std::size_t skipped = 0) {
    return TemplateText{file->text.substr(skipped), Place{file, 1, 1}, Origin::kFile, skipped};
  }
};

}  // namespace drover
