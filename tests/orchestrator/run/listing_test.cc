// What ansible-playbook 2.14 prints for the same playbook.
#include "orchestrator/run/listing.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

struct Fixture {
  Playbook playbook;
  CompiledRun run;

  Fixture() {
    playbook.path = "p.yml";
    Play play;
    play.name = "First";
    play.hosts.kind = YamlNode::Kind::kScalar;
    play.hosts.scalar = "all";
    PlaybookTask echo;
    echo.name = "echo";
    echo.module = "command";
    echo.keywords.tags = {"b", "a"};
    PlaybookTask unnamed;
    unnamed.module = "copy";
    play.tasks = {echo, unnamed};
    playbook.plays = {play};
    run.plays.resize(1);
    run.plays[0].hosts = {"h1", "longer-host2"};
  }
};

TEST(Listing, ReadsAsAnsibles) {
  const Fixture f;
  EXPECT_EQ(ListingText(f.playbook, f.run, {.syntax_check = true}), "\nplaybook: p.yml\n");
  EXPECT_EQ(ListingText(f.playbook, f.run, {.list_hosts = true}),
            "\nplaybook: p.yml\n\n  play #1 (all): First\tTAGS: []\n    pattern: ['all']\n"
            "    hosts (2):\n      h1\n      longer-host2\n");
  EXPECT_EQ(ListingText(f.playbook, f.run, {.list_tasks = true, .list_tags = true}),
            "\nplaybook: p.yml\n\n  play #1 (all): First\tTAGS: []\n    tasks:\n"
            "      echo\tTAGS: [a, b]\n      copy\tTAGS: []\n      TASK TAGS: [a, b]\n");
}

TEST(Listing, TagsLeaveTasksOut) {
  const Fixture f;
  EXPECT_EQ(ListingText(f.playbook, f.run, {.tags = {"a"}, .list_tasks = true}),
            "\nplaybook: p.yml\n\n  play #1 (all): First\tTAGS: []\n    tasks:\n"
            "      echo\tTAGS: [a, b]\n");
}

}  // namespace
}  // namespace drover
