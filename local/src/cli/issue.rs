//! `laurel issue`: a reward of the programme for a member's points, where it is not issued by itself.

use std::io::{self, Write as _};

use anyhow::{Context as _, bail};
use clap::{ArgGroup, Args};
use domain::{CustomerId, MemberId, OnRequest, Reason, RequestId, RewardId, RewardRequest, SourceName};
use runtime::{Budget, Engine, Issued, Random};
use store::{Consistency, DirectoryKey};

use super::target::Target;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("who").required(true))]
pub(super) struct Arguments {
    /// The reward, as it is called in the programme.
    #[arg(value_parser = |text: &str| RewardId::new(text))]
    reward: RewardId,
    /// The member.
    #[arg(long, group = "who", value_parser = |text: &str| MemberId::new(text))]
    member: Option<MemberId>,
    /// The platform's customer, at --source.
    #[arg(long, group = "who", requires = "source", value_parser = |text: &str| CustomerId::new(text))]
    customer: Option<CustomerId>,
    /// Where --customer is one.
    #[arg(long, requires = "customer", value_parser = |text: &str| SourceName::new(text))]
    source: Option<SourceName>,
    /// A name of your own for this request, such as a ticket's number: the same one again issues nothing more.
    #[arg(long, value_name = "ID", value_parser = |text: &str| RequestId::new(text))]
    request: RequestId,
    /// Why, in a few words that name no one. The journal keeps them for ever.
    #[arg(long, value_parser = |text: &str| Reason::new(text))]
    reason: Reason,
    /// Who asks: the operator's account. The journal keeps it for ever.
    #[arg(long, value_name = "OPERATOR", value_parser = |text: &str| Reason::new(text))]
    by: Reason,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { reward, member, customer, source, request, reason, by, target } = arguments;
    let (store, clock) = (target.store()?, target.clock().await?);
    let member = match (member, source, customer) {
        (Some(member), ..) => member,
        (None, Some(source), Some(customer)) => {
            let key = DirectoryKey::Customer(source, customer);
            let found = store.find_member(&key, Consistency::Strong).await?;
            found.context("there is no member who is this customer")?
        }
        _ => bail!("say who: --member, or --source and --customer"),
    };
    let engine = Engine::new(store, clock, Random::system());
    let request = RewardRequest { id: request, reward, on_request: OnRequest { by, reason } };
    let said = match engine.issue(&member, &request, Budget::until(0)).await? {
        Some(Issued::Done(member, code)) => format!("{} is issued to {member}: {code}", request.reward),
        Some(Issued::Before(member)) => format!("{} was issued to {member} before", request.reward),
        Some(Issued::Otherwise(_)) => {
            bail!("another reward was issued under the request {}; name this one otherwise", request.id)
        }
        None => bail!("there is no member {member}"),
    };
    writeln!(io::stdout(), "{said}").context("standard output")
}
