//! Queues as written.

use serde_json::{Value as Json, json};

use super::{
    At, BackoffSpec, BigCount, ByWord, Count, Definitions, Flag, Name, Named, Positive, Required, Sink, Spec,
    Text, Time, defined, spec, words, wrong_word,
};
use crate::diagnostic::Diagnostic;
use crate::tree::{Node, Place, Value};

spec! {
    /// Work kept for later: messages, and those who take them.
    QueueSpec: "a queue" {
        /// Lines that it consists of. Each is worked off in order, by one member of a group at a time.
        partitions: Option<At<Positive>> => "one line that all consumers take from, each message by itself" ("Amazon SQS, standard queues"),
        /// What the partition of a message goes by: messages of one value share a partition.
        by: Option<At<ByWord>> => "partitions in turn" ("Apache Kafka, RoundRobinPartitioner"),
        /// Among the messages of which value the order matters: those dealt with out of order are counted.
        order: Option<At<ByWord>> => "that of `by`" (""),
        /// Who takes messages: `{job: worker}`, or several by name, each of which sees every message.
        consumers: Option<ConsumersSpec> => "nobody" (""),
        /// How long a message that was taken is hidden from others; then it can be taken again. Without partitions
        /// only.
        visibility: Option<At<Time>> => "30s, without partitions" ("Amazon SQS, VisibilityTimeout"),
        /// How often a message is tried, the first time included.
        attempts: Option<At<Positive>> => "until it works" ("Amazon SQS without a redrive policy"),
        /// How long a message that has failed waits before it is tried again: a time, or `{base: 1s, max: 1m}`.
        backoff: Option<BackoffSpec> => "with partitions at once, without until its visibility ends" ("Spring Kafka, DefaultErrorHandler; Amazon SQS"),
        /// The queue where messages go after their last attempt.
        dead_letter: Option<At<Name>> => "nowhere: they are given up" ("Amazon SQS without a redrive policy"),
        /// How old a message may become; then it is lost.
        retention: At<Time> = "4d" ("Amazon SQS, MessageRetentionPeriod"),
        /// Most messages in it.
        limit: Option<At<BigCount>> => "no limit" ("Amazon SQS"),
        /// What happens to a message that finds it full.
        on_full: At<OnFullQueueWord> = "reject" ("RabbitMQ, overflow: reject-publish"),
        /// How long a message takes to reach it, and an acknowledgement to come back.
        latency: At<Time> = "0s" ("on the same machine"),
        /// How long its copies take to have a message too: only then can it be taken.
        replicate: At<Time> = "0s" ("a single broker"),
        /// Whether it takes messages. When it goes down, what its copies do not have yet is lost.
        up: At<Flag> = "true" ("nothing fails by itself"),
    }
}

words! {
    /// What happens to a message that finds its queue full.
    OnFullQueueWord: "`reject`, `block` or `drop`" {
        /// its sender is told, and its request ends as `rejected`; with `acks: 0` the message is lost.
        Reject = "reject",
        /// its sender waits until there is room.
        Block = "block",
        /// it is lost, and its sender goes on.
        Drop = "drop",
    }
}

words! {
    /// When a message counts as dealt with.
    AckWord: "`after` or `before`" {
        /// after the work: it is worked on at least once.
        After = "after",
        /// before the work: at most once, and what fails is lost.
        Before = "before",
    }
}

words! {
    /// What a run of the job is for.
    EachWord: "`message` or `batch`" {
        /// one message: the job runs once for each of a batch, one after the other.
        Message = "message",
        /// all messages of a batch together.
        Batch = "batch",
    }
}

words! {
    /// Where so many members are.
    PerWord: "`service` or `replica`" {
        /// in all replicas of the job's service together.
        Service = "service",
        /// in each replica.
        Replica = "replica",
    }
}

words! {
    /// What a `send` step waits for.
    AcksWord: "`0`, `1` or `all`" {
        /// nothing: the message is on its way, and whether it arrives is not known.
        None = "0",
        /// that the queue has it: what its copies do not have is lost when it goes down.
        One = "1",
        /// that its copies have it too.
        All = "all",
    }
}

spec! {
    /// Those who take messages together: each message goes to one of them.
    ConsumerSpec: "consumers" {
        /// What is done for a message: one of `jobs`.
        job: Required<At<Name>>,
        /// How many there are. Of a queue with partitions, each is worked off by one: those beyond are idle.
        members: At<Count> = "1" ("Spring Kafka, concurrency"),
        /// Where there are so many: in the whole `service`, or in each `replica`.
        per: At<PerWord> = "service" (""),
        /// Most messages that one takes at once.
        batch: Option<At<Positive>> => "500 with partitions, 1 without" ("Apache Kafka, max.poll.records; Amazon SQS, MaxNumberOfMessages"),
        /// Whether the job runs for each `message` or once for the whole `batch`.
        each: At<EachWord> = "message" ("Spring Kafka, record listeners"),
        /// When a message counts as dealt with: `after` the work or `before` it.
        ack: At<AckWord> = "after" ("Apache Kafka commits what was returned by the poll before; Amazon SQS deletes"),
        /// How long a member may take for a batch; then it is thrown out and its partitions go to others.
        poll: Option<At<Time>> => "300s, with partitions" ("Apache Kafka, max.poll.interval.ms"),
        /// How partitions are shared out anew when members come or go: `{eager: 3s}`, `{cooperative: 3s}`, or `static`.
        rebalance: Option<At<RebalanceSpec>> => "{eager: 3s}, with partitions" ("Apache Kafka, RangeAssignor and group.initial.rebalance.delay.ms"),
    }
}

/// Who takes messages of a queue.
#[derive(Clone, Debug)]
pub(crate) enum ConsumersSpec {
    /// One group, called like its job.
    One(Box<ConsumerSpec>, Place),
    /// Several.
    Several(Named<ConsumerSpec>),
}

impl Spec for ConsumersSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        if !is_one(node) {
            return Named::read(node, sink).map(Self::Several);
        }
        ConsumerSpec::read(node, sink).map(|spec| Self::One(Box::new(spec), node.label))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Consumers", |definitions| {
            let one = ConsumerSpec::schema(definitions);
            json!({"anyOf": [one, {"type": "object", "additionalProperties": one}]})
        })
    }

    fn complete(node: &mut Node) {
        if is_one(node) {
            ConsumerSpec::complete(node);
        } else {
            Named::<ConsumerSpec>::complete(node);
        }
    }
}

/// Whether the node is a group itself, and not several by name.
fn is_one(node: &Node) -> bool {
    let is_key = |key: &str| ConsumerSpec::FIELDS.iter().any(|field| field.key == key);
    node.get("job").is_some_and(|job| !matches!(job.value, Value::Map(_)))
        || node.entries().iter().any(|entry| is_key(&entry.key) && !matches!(entry.node.value, Value::Map(_)))
}

/// How partitions are shared out anew.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RebalanceSpec {
    /// All stop.
    Eager(Time),
    /// Only what moves stands still.
    Cooperative(Time),
    /// Who comes back in time finds its partitions as they were.
    Static(Time),
}

/// A word, its time unless that is given, and what they make.
type Way = (&'static str, &'static str, fn(Time) -> RebalanceSpec);

const WAYS: [Way; 3] = [
    ("eager", "3s", RebalanceSpec::Eager),
    ("cooperative", "3s", RebalanceSpec::Cooperative),
    ("static", "45s", RebalanceSpec::Static),
];

impl Spec for RebalanceSpec {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let way = |word: &str| WAYS.iter().find(|(known, ..)| *known == word);
        if let [entry] = node.entries()
            && let Some((.., make)) = way(&entry.key)
        {
            return Time::read(&entry.node, sink).map(make);
        }
        if let Some((_, time, make)) = node.text().and_then(way) {
            return Time::read(&Node::plain(time, node.place), sink).map(make);
        }
        if let [_, second, ..] = node.entries() {
            let diagnostic = Diagnostic::error("partitions are shared out in one way, found several");
            sink.report(diagnostic.at(second.place).help("keep one of them"));
            return None;
        }
        wrong_word(
            node,
            "`{eager: 3s}`, `{cooperative: 3s}` or `static`",
            &["eager", "cooperative", "static"],
            &[],
            sink,
        );
        None
    }

    fn schema(definitions: &mut Definitions) -> Json {
        defined(definitions, "Rebalance", |definitions| {
            let time = Time::schema(definitions);
            let ways: Vec<Json> = WAYS
                .iter()
                .map(|(word, ..)| json!({"type": "object", "properties": {*word: time}, "required": [word], "additionalProperties": false}))
                .chain([json!({"enum": ["eager", "cooperative", "static"]})])
                .collect();
            json!({"anyOf": ways, "description":
                "`eager`: all members stop until all have come together, and for the time (3s). `cooperative`: only the \
                 partitions that move stand still for it (3s). `static`: who leaves is waited for that long (45s, Apache \
                 Kafka session.timeout.ms), then as `eager`."})
        })
    }
}

spec! {
    /// Puts a message on a queue and goes on.
    SendStep: "a `send` step" {
        /// The queue.
        send: At<Text>,
        /// What it waits for: nothing (`0`), the queue (`1`), or its copies too (`all`).
        acks: Option<At<AcksWord>> => "all" ("Apache Kafka 3.0, acks; Amazon SQS answers when copies have it"),
    }
}
