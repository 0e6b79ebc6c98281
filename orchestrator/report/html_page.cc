#include "orchestrator/report/html_page.h"

#include "orchestrator/report/markup.h"

namespace drover {
namespace {

std::string Class(std::string_view look) {
  return look.empty() ? "" : " class=\"" + std::string(look) + "\"";
}

}  // namespace

std::string HtmlPage(std::string_view title, const std::string& body) {
  return "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
         "<meta charset=\"utf-8\"/>\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
         "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
         // Nothing in it may ever ask the network for anything, whatever was written into it.
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'\"/>\n<title>" +
         EscapeMarkup(title) + "</title>\n<style>" + std::string(HtmlStyle()) +
         "</style>\n</head>\n<body>\n<main>\n" + body + "</main>\n</body>\n</html>\n";
}

std::string HtmlSection(std::string_view heading, const std::string& content) {
  if (content.empty()) return "";
  return "<section>\n<h2>" + EscapeMarkup(heading) + "</h2>\n" + content + "</section>\n";
}

std::string HtmlParagraph(std::string_view text, std::string_view look) {
  return "<p" + Class(look) + ">" + EscapeMarkup(text) + "</p>\n";
}

std::string HtmlList(const std::vector<std::string>& texts, std::string_view look) {
  if (texts.empty()) return "";
  std::string list = "<ul" + Class(look) + ">\n";
  for (const std::string& text : texts) list += "<li>" + EscapeMarkup(text) + "</li>\n";
  return list + "</ul>\n";
}

HtmlTable::HtmlTable(std::vector<std::string> heads, std::string_view look)
    : heads_(std::move(heads)), text_("<table" + Class(look) + ">\n<thead><tr>") {
  for (const std::string& head : heads_) text_ += "<th>" + EscapeMarkup(head) + "</th>";
  text_ += "</tr></thead>\n<tbody>\n";
}

void HtmlTable::Add(const std::vector<std::string>& cells, std::string_view look) {
  text_ += "<tr" + Class(look) + ">";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string head = i < heads_.size() ? EscapeMarkup(heads_[i]) : "";
    text_ += "<td data-head=\"" + head + "\">" + cells[i] + "</td>";
  }
  text_ += "</tr>\n";
}

std::string HtmlTable::Take() && { return std::move(text_) + "</tbody>\n</table>\n"; }

std::string HtmlTiles(const std::vector<HtmlTile>& tiles) {
  if (tiles.empty()) return "";
  std::string text = "<div class=\"tiles\">\n";
  for (const HtmlTile& tile : tiles) {
    text += "<div class=\"tile " + tile.look + "\"><span class=\"name\">" +
            EscapeMarkup(tile.name) + "</span><span class=\"value\">" + EscapeMarkup(tile.value) +
            "</span><span class=\"note\">" + EscapeMarkup(tile.note) + "</span></div>\n";
  }
  return text + "</div>\n";
}

}  // namespace drover
