// The frame of a page: one file that needs nothing else, neither network nor script, and is well
// formed as XML too. Light or dark as the reader's screen is, narrow on a phone, in pages on paper.
//
// Pure. What is passed as markup must be escaped already.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drover {

// The whole document.
std::string HtmlPage(std::string_view title, const std::string& body);

// "<section><h2>…</h2>…</section>"; nothing when `content` is empty.
std::string HtmlSection(std::string_view heading, const std::string& content);
// "<p class="look">text</p>", of plain text.
std::string HtmlParagraph(std::string_view text, std::string_view look = "");
// Of plain text; nothing for none.
std::string HtmlList(const std::vector<std::string>& texts, std::string_view look = "");

// A table whose cells are markup. On a phone each row becomes a block with the heads before its
// cells.
class HtmlTable {
 public:
  HtmlTable(std::vector<std::string> heads, std::string_view look);
  void Add(const std::vector<std::string>& cells, std::string_view look = "");
  [[nodiscard]] std::string Take() &&;

 private:
  std::vector<std::string> heads_;
  std::string text_;
};

// Key figures side by side.
struct HtmlTile {
  std::string name;
  std::string value;
  std::string note;
  std::string look;  // "good", "bad", or none
};
std::string HtmlTiles(const std::vector<HtmlTile>& tiles);

// The style sheet (html_style.cc).
std::string_view HtmlStyle();

}  // namespace drover
