#include "orchestrator/template/parser.h"

#include <algorithm>
#include <cctype>

#include "orchestrator/template/expression_parser.h"

namespace drover {
namespace {

constexpr int kMaxNesting = 50;

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// Statements of Jinja and of its extensions, to tell them from slips of the finger.
const std::vector<std::string>& KnownStatements() {
  static const std::vector<std::string> kStatements = {"for",   "endfor", "if",  "elif",  "else",
                                                       "endif", "set",    "raw", "endraw"};
  return kStatements;
}

// One tag of a template: where it opens, what stands in it.
struct Tag {
  std::size_t open = 0;
  Tokens tokens;
};

class TemplateParser {
 public:
  TemplateParser(const TemplateText& source, const TemplateOptions& options)
      : source_(source), text_(source.text), options_(options) {}

  Evaluated<Parts> Run() {
    Parts parts;
    auto end = Body(parts, {});
    if (!end) return tl::unexpected(end.error());
    return parts;
  }

 private:
  // Reads parts until one of the statements in `until`, whose tag is returned; at the end of the
  // text an empty optional, which is right only at the top.
  Evaluated<std::optional<Tag>> Body(Parts& parts, const std::vector<std::string>& until) {
    while (true) {
      const std::size_t open = NextTag();
      const char kind = open == std::string::npos ? '\0' : text_[open + 1];
      if (kind == '\0') {
        Text(parts, text_.size(), false);
        return std::optional<Tag>();
      }
      const char sign = open + 2 < text_.size() ? text_[open + 2] : '\0';
      const bool strips = sign == '-';
      const bool lstrips = kind != '{' && options_.lstrip_blocks && sign != '+';
      Text(parts, open, strips, lstrips);
      const std::size_t inside = open + 2 + (strips || (sign == '+' && kind == '%') ? 1 : 0);
      if (kind == '#') {
        if (auto done = Comment(open); !done) return tl::unexpected(done.error());
        continue;
      }
      auto tokens = Tokenize(source_, inside, kind == '{' ? "}}" : "%}");
      if (!tokens) return tl::unexpected(tokens.error());
      at_ = tokens->after;
      AfterTag(kind == '%', tokens->strips_after, tokens->keeps_after);
      Tag tag{open, std::move(*tokens)};
      if (kind == '{') {
        if (auto done = Output(parts, tag); !done) return tl::unexpected(done.error());
        continue;
      }
      const Token& word = tag.tokens.list.front();
      if (std::find(until.begin(), until.end(), word.text) != until.end()) {
        return std::optional<Tag>(std::move(tag));
      }
      if (auto done = Statement(parts, tag); !done) return tl::unexpected(done.error());
    }
  }

  [[nodiscard]] std::size_t NextTag() const {
    for (std::size_t i = at_; i + 1 < text_.size(); ++i) {
      if (text_[i] == '{' && (text_[i + 1] == '{' || text_[i + 1] == '%' || text_[i + 1] == '#')) {
        return i;
      }
    }
    return std::string::npos;
  }

  void Text(Parts& parts, std::size_t end, bool strips, bool lstrips = false) {
    std::string text = text_.substr(at_, end - at_);
    if (strips) {
      while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
        text.pop_back();
      }
    } else if (lstrips) {
      std::size_t keep = text.size();
      while (keep > 0 && IsBlank(text[keep - 1])) --keep;
      const bool line_start =
          keep > 0 ? text[keep - 1] == '\n' : at_ == 0 || text_[at_ - 1] == '\n';
      if (line_start) text.resize(keep);
    }
    if (text.empty()) return;
    Part part;
    part.offset = at_;
    part.text = std::move(text);
    parts.push_back(std::move(part));
  }

  void AfterTag(bool block, bool strips, bool keeps) {
    if (strips) {
      while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    } else if (block && options_.trim_blocks && !keeps) {
      if (text_.compare(at_, 2, "\r\n") == 0) {
        at_ += 2;
      } else if (at_ < text_.size() && text_[at_] == '\n') {
        ++at_;
      }
    }
  }

  Evaluated<std::monostate> Comment(std::size_t open) {
    const std::size_t end = text_.find("#}", open + 2);
    if (end == std::string::npos) {
      return Offence(source_.At(open), "template comment is never closed: \"#}\" is missing");
    }
    at_ = end + 2;
    AfterTag(true, end > open + 2 && text_[end - 1] == '-', false);
    return std::monostate{};
  }

  Evaluated<std::monostate> Output(Parts& parts, const Tag& tag) {
    ExpressionParser parser(source_, tag.tokens.list);
    auto expression = parser.Expr();
    if (!expression) return tl::unexpected(expression.error());
    if (auto end = parser.ExpectEnd(); !end) return tl::unexpected(end.error());
    Part part;
    part.kind = Part::Kind::kOutput;
    part.offset = tag.open;
    part.expression = std::move(*expression);
    parts.push_back(std::move(part));
    return std::monostate{};
  }

  Evaluated<std::monostate> Statement(Parts& parts, const Tag& tag) {
    const Token& word = tag.tokens.list.front();
    if (word.kind != Token::Kind::kName) {
      return Offence(source_.At(tag.open), "template statement has no name");
    }
    if (++nesting_ > kMaxNesting) {
      return Offence(source_.At(tag.open), "template statements are nested too deeply");
    }
    Evaluated<std::monostate> done = std::monostate{};
    if (word.text == "for") {
      done = For(parts, tag);
    } else if (word.text == "if") {
      done = If(parts, tag);
    } else if (word.text == "set") {
      done = Set(parts, tag);
    } else if (word.text == "raw") {
      done = Raw(parts, tag);
    } else if (word.text == "else" || word.text == "elif" || word.text.starts_with("end")) {
      done =
          Offence(source_.At(word.offset), "{% " + word.text + " %} belongs to no open statement");
    } else {
      done = Offence(source_.At(word.offset), "Drover does not know {% " + word.text + " %}",
                     DidYouMean(word.text, KnownStatements()));
    }
    --nesting_;
    return done;
  }

  tl::unexpected<Diagnostic> NeverClosed(const Tag& tag, const std::string& word) {
    return Offence(source_.At(tag.open),
                   "{% " + word + " %} is never closed: {% end" + word + " %} is missing");
  }

  Evaluated<std::monostate> OnlyWord(const Tag& tag) {
    ExpressionParser parser(source_, tag.tokens.list);
    if (auto word = parser.Identifier("a statement"); !word) return tl::unexpected(word.error());
    return parser.ExpectEnd();
  }

  Evaluated<std::monostate> For(Parts& parts, const Tag& tag) {
    ExpressionParser parser(source_, tag.tokens.list);
    parser.TakeName("for");
    Part part;
    part.kind = Part::Kind::kFor;
    part.offset = tag.open;
    do {
      auto name = parser.Identifier("the name of a loop variable");
      if (!name) return tl::unexpected(name.error());
      part.names.push_back(std::move(*name));
    } while (parser.TakeOperator(","));
    if (!parser.TakeName("in")) return parser.Unexpected("\"in\"");
    auto list = parser.WithoutCondition();
    if (!list) return tl::unexpected(list.error());
    part.expression = std::move(*list);
    if (parser.TakeName("if")) {
      auto filter = parser.Expr();
      if (!filter) return tl::unexpected(filter.error());
      part.filter = std::move(*filter);
    }
    if (auto end = parser.ExpectEnd(); !end) return tl::unexpected(end.error());
    auto end = Body(part.body, {"endfor", "else"});
    if (end && *end && (*end)->tokens.list.front().text == "else") {
      if (auto only = OnlyWord(**end); !only) return tl::unexpected(only.error());
      end = Body(part.otherwise, {"endfor"});
    }
    if (!end) return tl::unexpected(end.error());
    if (!*end) return NeverClosed(tag, "for");
    parts.push_back(std::move(part));
    return OnlyWord(**end);
  }

  Evaluated<std::monostate> If(Parts& parts, const Tag& tag) {
    Part part;
    part.kind = Part::Kind::kIf;
    part.offset = tag.open;
    std::optional<Tag> current(Tag{tag.open, tag.tokens});
    while (true) {
      const std::string word = current->tokens.list.front().text;
      if (word == "endif") break;
      Parts* body = &part.otherwise;
      if (word == "else") {
        if (auto only = OnlyWord(*current); !only) return tl::unexpected(only.error());
      } else {
        ExpressionParser parser(source_, current->tokens.list);
        parser.TakeName(word);
        auto condition = parser.Expr();
        if (!condition) return tl::unexpected(condition.error());
        if (auto end = parser.ExpectEnd(); !end) return tl::unexpected(end.error());
        part.branches.push_back(Part::Branch{std::move(*condition), {}});
        body = &part.branches.back().body;
      }
      auto end = word == "else" ? Body(*body, {"endif"}) : Body(*body, {"elif", "else", "endif"});
      if (!end) return tl::unexpected(end.error());
      if (!*end) return NeverClosed(tag, "if");
      current = std::move(*end);
    }
    parts.push_back(std::move(part));
    return OnlyWord(*current);
  }

  Evaluated<std::monostate> Set(Parts& parts, const Tag& tag) {
    ExpressionParser parser(source_, tag.tokens.list);
    parser.TakeName("set");
    Part part;
    part.kind = Part::Kind::kSet;
    part.offset = tag.open;
    auto name = parser.Identifier("the name of a variable");
    if (!name) return tl::unexpected(name.error());
    part.names.push_back(std::move(*name));
    if (!parser.TakeOperator("=")) return parser.Unexpected("\"=\"");
    auto value = parser.Expr();
    if (!value) return tl::unexpected(value.error());
    part.expression = std::move(*value);
    parts.push_back(std::move(part));
    return parser.ExpectEnd();
  }

  Evaluated<std::monostate> Raw(Parts& parts, const Tag& tag) {
    for (std::size_t open = text_.find("{%", at_); open != std::string::npos;
         open = text_.find("{%", open + 2)) {
      std::size_t word = open + 2;
      const bool strips = word < text_.size() && text_[word] == '-';
      if (strips) ++word;
      while (word < text_.size() && IsBlank(text_[word])) ++word;
      if (text_.compare(word, 6, "endraw") != 0) continue;
      auto tokens = Tokenize(source_, word, "%}");
      if (!tokens) return tl::unexpected(tokens.error());
      Text(parts, open, strips);
      at_ = tokens->after;
      AfterTag(true, tokens->strips_after, tokens->keeps_after);
      return std::monostate{};
    }
    return NeverClosed(tag, "raw");
  }

  const TemplateText& source_;
  const std::string& text_;
  const TemplateOptions& options_;
  std::size_t at_ = 0;
  int nesting_ = 0;
};

}  // namespace

Evaluated<Parts> ParseTemplate(const TemplateText& source, const TemplateOptions& options) {
  return TemplateParser(source, options).Run();
}

Evaluated<ExpressionPtr> ParseExpression(const TemplateText& source) {
  auto tokens = Tokenize(source, 0, "");
  if (!tokens) return tl::unexpected(tokens.error());
  ExpressionParser parser(source, tokens->list);
  auto expression = parser.Expr();
  if (!expression) return expression;
  if (auto end = parser.ExpectEnd(); !end) return tl::unexpected(end.error());
  return expression;
}

bool HasTemplate(const std::string& text) {
  return text.find("{{") != std::string::npos || text.find("{%") != std::string::npos ||
         text.find("{#") != std::string::npos;
}

}  // namespace drover
