#include "agent/audit_pass.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "agent/audit_classes.h"
#include "agent/block_feeder.h"
#include "base/arena.h"
#include "capture/k8s_audit/log_reader.h"

namespace saker::agent {

namespace {

// An event that rules or analyses want to see in its order.
struct Row {
  uint64_t number = 0;
  std::string_view text;
  audit::AuditDigest digest;
  uint32_t first_hit = 0, hits = 0;
};

// A piece of a log with what was found in it.
struct Block : FedBlock {
  std::vector<Row> rows;
  std::vector<uint32_t> hits;  // rules, of all rows
  uint64_t events = 0;
};

// What one thread needs to judge a block.
class Judge {
 public:
  Judge(const rules::RuleSet& rules, rules::Matching matching) : engine_(rules, matching) {}

  void judge(Block& block, const AuditPassUser& user) {
    block.rows.clear();
    block.hits.clear();
    block.events = 0;
    reader_.load(block.piece);
    event::Event event;
    while (reader_.next(event)) {
      event.number = ++block.events;
      if (user.wants(reader_.record(), event)) judge(event, block);
    }
  }

  // Of the block that was judged last.
  [[nodiscard]] const capture::AuditBlock& reader() const { return reader_; }
  [[nodiscard]] const rules::Engine& engine() const { return engine_; }

 private:
  void judge(const event::Event& event, Block& block) {
    const audit::AuditRecord& record = reader_.record();
    scratch_.reset();
    context_ = {.event = &event, .audit = &record, .scratch = &scratch_};
    AuditClasses::Class& its_class = classes_.class_of(record);
    Row row{.number = event.number,
            .text = record.text(),
            .digest = AuditClasses::digest_of(record, its_class),
            .first_hit = static_cast<uint32_t>(block.hits.size())};
    row.digest.time_ns = event.timestamp;
    const std::span<const uint32_t> hits = engine_.match(context_, &its_class.slot);
    block.hits.insert(block.hits.end(), hits.begin(), hits.end());
    row.hits = static_cast<uint32_t>(hits.size());
    block.rows.push_back(row);
  }

  rules::Engine engine_;
  AuditClasses classes_;
  capture::AuditBlock reader_;
  Arena scratch_;
  filter::EvalContext context_;
};

// What is used in the order of the logs goes on from one log to the next.
struct Sequel {
  Sequel(const rules::RuleSet& rules, rules::Matching matching) : engine(rules, matching) {}

  rules::Engine engine;  // which counts bursts and makes findings; it matches nothing
  capture::AuditText record;
  Arena scratch;
  AuditPass::Summary summary;
};

// Hands the blocks of one log to the user, each at its turn.
class Sequence {
 public:
  Sequence(Sequel& sequel, AuditPassUser& user, BlockFeeder& feeder, const std::string& name)
      : sequel_(sequel), user_(user), feeder_(feeder), losses_(name) {}

  void use(Block& block, const capture::AuditBlock& reader) {
    std::unique_lock lock(mutex_);
    turned_.wait(lock, [&] { return turn_ == block.turn || ended_; });
    if (ended_) return;
    use_now(block, reader);
    ++turn_;
    turned_.notify_all();
  }
  // Nothing more is used; the threads come to their ends.
  void end(Status status) {
    const std::scoped_lock lock(mutex_);
    end_now(std::move(status));
  }

  // Once all threads are done.
  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] const capture::LogLosses& losses() const { return losses_; }

 private:
  void use_now(const Block& block, const capture::AuditBlock& reader) {
    constexpr size_t kAhead = 8;
    for (size_t i = 0; i < block.rows.size(); ++i) {
      if (i + kAhead < block.rows.size()) user_.expect(block.rows[i + kAhead].digest);
      use_row(block.rows[i], block);
    }
    events_ += block.events;
    sequel_.summary.events += block.events;
    if (reader.is_old_format()) return end_now(losses_.old_format(reader.lines()));
    losses_.add(reader, block.piece.offset);
    sequel_.summary.bytes += block.piece.text.size();
    if (!user_.on_progress(sequel_.summary.bytes)) end_now({});
  }

  void end_now(Status status) {
    ended_ = true;
    status_ = std::move(status);
    feeder_.end();
    turned_.notify_all();
  }

  void use_row(const Row& row, const Block& block) {
    bool loaded = false;
    const auto record = [&]() -> const audit::AuditRecord& {
      if (!loaded) loaded = sequel_.record.load(row.text);
      return sequel_.record;
    };
    if (!user_.take(row.digest, record) || row.hits == 0) return;
    event::Event event;
    event.source = event::Source::k8s_audit;
    event.type = event::PLUGINEVENT_E;
    event.timestamp = row.digest.time_ns;
    event.number = events_ + row.number;
    event.length = static_cast<uint32_t>(row.text.size());
    sequel_.scratch.reset();
    const filter::EvalContext context = {
        .event = &event, .audit = &record(), .scratch = &sequel_.scratch};
    for (uint32_t i = 0; i < row.hits; ++i) {
      const uint32_t rule = block.hits[row.first_hit + i];
      if (sequel_.engine.admit(rule, context)) user_.on_match(sequel_.engine, rule, context);
    }
  }

  Sequel& sequel_;
  AuditPassUser& user_;
  BlockFeeder& feeder_;
  capture::LogLosses losses_;
  std::mutex mutex_;
  std::condition_variable turned_;
  uint64_t turn_ = 0;
  uint64_t events_ = 0;  // before the block whose turn it is
  bool ended_ = false;
  Status status_;
};

void work(BlockFeeder& feeder, Judge& judge, Sequence& sequence, const AuditPassUser& user) {
  try {
    Block block;
    while (feeder.next(block)) {
      judge.judge(block, user);
      sequence.use(block, judge.reader());
    }
  } catch (const std::exception& problem) {  // no memory
    sequence.end(Error{.code = Code::io, .message = problem.what()});
  }
}

}  // namespace

struct AuditPass::Impl {
  Impl(const rules::RuleSet& rules, rules::Matching matching, unsigned threads)
      : sequel(rules, matching) {
    for (unsigned i = 0; i < threads; ++i)
      judges.push_back(std::make_unique<Judge>(rules, matching));
  }

  Sequel sequel;
  std::vector<std::unique_ptr<Judge>> judges;
};

AuditPass::AuditPass(const rules::RuleSet& rules, rules::Matching matching, unsigned threads)
    : impl_(std::make_unique<Impl>(rules, matching, threads != 0 ? threads : reading_threads())) {}
AuditPass::~AuditPass() = default;

Status AuditPass::read(const std::string& path, AuditPassUser& user) {
  const std::unique_ptr<capture::BlockSource> source = SAKER_TRY(capture::open_blocks(path));
  return read(*source, user);
}

Status AuditPass::read(capture::BlockSource& source, AuditPassUser& user) {
  BlockFeeder feeder(source);
  Sequence sequence(impl_->sequel, user, feeder, source.name());
  {
    std::vector<std::jthread> helpers;
    for (size_t i = 1; i < impl_->judges.size(); ++i)
      helpers.emplace_back([&, i] { work(feeder, *impl_->judges[i], sequence, user); });
    work(feeder, *impl_->judges[0], sequence, user);
  }
  Summary& summary = impl_->sequel.summary;
  for (const auto& [reason, count] : sequence.losses().counts()) summary.lost[reason] += count;
  const std::vector<std::string>& problems = sequence.losses().descriptions();
  summary.problems.insert(summary.problems.end(), problems.begin(), problems.end());
  SAKER_CHECK(sequence.status());
  if (source.status().ok()) return {};
  Error error = source.status().error();
  error.position.file = source.name();
  return error;
}

const AuditPass::Summary& AuditPass::summary() const {
  return impl_->sequel.summary;
}
const rules::RuleSet& AuditPass::rules() const {
  return impl_->sequel.engine.rules();
}

rules::RuleStats AuditPass::stats(uint32_t rule) const {
  rules::RuleStats all = impl_->sequel.engine.stats(rule);
  for (const auto& judge : impl_->judges) all += judge->engine().stats(rule);
  return all;
}

}  // namespace saker::agent
