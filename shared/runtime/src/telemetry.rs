//! Logs: JSON on Lambda, readable elsewhere; `LAUREL_LOG` filters them (default `info`).

use std::io::IsTerminal as _;
use std::panic;

use tracing::{Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What an alarm waits for: the field `signal` of a line, which the template's metric filters look for. The words of a
/// line are for people and may change; these may not.
pub mod signal {
    /// An order was put aside.
    pub const PARKED: &str = "parked";
    /// The sweep repaired an order.
    pub const REPAIRED: &str = "repaired";
    /// An operator must export a person's data.
    pub const EXPORT_ASKED: &str = "export_asked";
    /// An operator must erase a whole shop.
    pub const SHOP_ERASURE_ASKED: &str = "shop_erasure_asked";
    /// A sender is not set up as it should be, or its clock is wrong.
    pub const TO_MEND: &str = "to_mend";
    /// A source of ours was refused a delivery.
    pub const REFUSED: &str = "refused";
    /// Nothing was heard from a source for too long.
    pub const SILENT: &str = "silent";
    /// Coupons were issued; the line's `coupons` says how many.
    pub const COUPONS_ISSUED: &str = "coupons_issued";

    /// All of them.
    pub const ALL: [&str; 8] =
        [PARKED, REPAIRED, EXPORT_ASKED, SHOP_ERASURE_ASKED, TO_MEND, REFUSED, SILENT, COUPONS_ISSUED];
}

/// The target of lines that only a metric reads. Where nobody counts, they are left out.
pub const ROUTINE: &str = "routine";

/// The target of lines that say what each commit did. They are shown where a person watches, and cost nothing elsewhere.
pub const LEDGER: &str = "ledger";

/// Starts logging; a second call changes nothing.
pub fn start() {
    let on_lambda = std::env::var_os("AWS_LAMBDA_FUNCTION_NAME").is_some();
    let filter = filter(Level::INFO);
    let filter = if on_lambda {
        filter
    } else {
        filter.with_target(ROUTINE, LevelFilter::OFF).with_target(LEDGER, LevelFilter::DEBUG)
    };
    let started = if on_lambda {
        // Only where it happened: what it says may quote what was read.
        panic::set_hook(Box::new(|panic| {
            tracing::error!(at = panic.location().map(ToString::to_string), "panicked");
        }));
        on_lambda_to(std::io::stderr, filter).try_init()
    } else {
        let format = tracing_subscriber::fmt().with_max_level(Level::TRACE).with_writer(std::io::stderr);
        let format = format.compact().with_ansi(std::io::stderr().is_terminal()).finish();
        format.with(filter).try_init()
    };
    if started.is_err() {
        tracing::debug!("logging was already started");
    }
}

/// How Lambda wants a line: JSON with a `timestamp` (RFC 3339) and a `level`. Without a timestamp that it can read, it
/// makes every line `INFO`, and an alarm on errors is blind.
pub fn on_lambda_to<W>(writer: W, filter: Targets) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let format = tracing_subscriber::fmt().with_max_level(Level::TRACE).with_writer(writer);
    format.json().flatten_event(true).finish().with(filter)
}

/// What `LAUREL_LOG` lets through: a level, or levels by target (`info,runtime=trace`); a level of its own where the
/// variable is absent or cannot be read. Filters by a span's fields, which would bring a whole engine of regular
/// expressions into every function, are not understood.
pub fn filter(otherwise: Level) -> Targets {
    let asked = std::env::var("LAUREL_LOG").ok().and_then(|asked| asked.parse().ok());
    asked.unwrap_or_else(|| Targets::new().with_default(otherwise))
}
