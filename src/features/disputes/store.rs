//! The SQL of disputes.

use super::{Dispute, Ending, Evidence, Proposal, Reason, Status};
use crate::features::bookings;
use crate::features::wallet::outcomes::Split;
use crate::kernel::id::{BookingId, DisputeId, FileId, TypedId, UserId};
use crate::kernel::life::State;
use crate::kernel::page::{Page, Slice};
use crate::kernel::{By, Currency, Error, Money, Result, Timestamp};
use crate::platform::db::{Db, FromRow, On, Order, Row, Tx, q};
use crate::platform::work::Unit;

impl FromRow for Dispute {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Dispute {
            id: row.get("id")?,
            booking: row.get("booking_id")?,
            customer: row.get("customer_id")?,
            contractor: row.get("contractor_id")?,
            opener: row.get("opener_id")?,
            reason: row.parsed("reason", Reason::parse)?,
            evidence: row.get("evidence")?,
            booking_was: row.parsed("booking_was", bookings::Status::parse)?,
            escrow: row.money("amount")?,
            service_bps: row.get("service_bps")?,
            status: row.parsed("status", Status::parse)?,
            deadline: row.get("deadline")?,
            proposal: proposal(row)?,
            ending: ending(row)?,
            decision: row.get("decision")?,
            ended_at: row.get("ended_at")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            version: row.get("version")?,
        })
    }
}

fn proposal(row: &Row) -> Result<Option<Proposal>> {
    if row.get::<Option<i64>>("proposed_customer")?.is_none() {
        return Ok(None);
    }
    Ok(Some(Proposal {
        number: row.get("proposal_number")?,
        proposer: row.get("proposer_id")?,
        by: row.parsed("proposed_by", proposer)?,
        customer: row.money("proposed_customer")?,
        customer_agrees: row.get("agreed_customer")?,
        contractor_agrees: row.get("agreed_contractor")?,
        expires_at: row.get("proposal_expires_at")?,
    }))
}

fn proposer(name: &str) -> Option<By> {
    [By::Customer, By::Contractor, By::Staff].into_iter().find(|by| by.name().to_uppercase() == name)
}

fn ending(row: &Row) -> Result<Option<Ending>> {
    let currency: Currency = row.get("currency")?;
    let mut parts = Vec::with_capacity(3);
    for column in ["to_customer", "to_contractor", "to_platform"] {
        match row.get::<Option<i64>>(column)? {
            Some(minor) => parts.push(Money::new(minor, currency)),
            None => return Ok(None),
        }
    }
    let fee_back = row.get("fee_back")?;
    let split = <[Money; 3]>::try_from(parts).map_err(|_| Error::internal("a split has three parts"))?;
    let [customer, contractor, platform] = split;
    Ok(Some(Ending { split: Split { customer, contractor, platform, fee_back } }))
}

impl FromRow for Evidence {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Evidence {
            dispute: row.get("dispute_id")?,
            file: FileId::of(row.get("file_id")?),
            author: row.get("author_id")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// A file and the two parties of one of its disputes.
pub(super) struct Shown(pub(super) FileId, pub(super) [UserId; 2]);

impl FromRow for Shown {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Shown(FileId::of(row.get("file_id")?), [row.get("customer_id")?, row.get("contractor_id")?]))
    }
}

/// Says whether no other dispute of the booking was going on.
pub(super) async fn insert(tx: &mut Tx, dispute: &Dispute) -> Result<bool> {
    let inserted = q("insert into disputes (id, booking_id, customer_id, contractor_id, opener_id, reason, evidence,
            booking_was, amount, currency, service_bps, status, deadline, proposal_number, agreed_customer,
            agreed_contractor, fee_back, created_at, updated_at, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, $14, $14, $14, $15, $15, 1)
        on conflict do nothing")
    .bind(dispute.id)
    .bind(dispute.booking)
    .bind(dispute.customer)
    .bind(dispute.contractor)
    .bind(dispute.opener)
    .bind(dispute.reason.name())
    .bind(dispute.evidence.as_str())
    .bind(dispute.booking_was.name())
    .bind(dispute.escrow.minor)
    .bind(dispute.escrow.currency.code())
    .bind(dispute.service_bps)
    .bind(dispute.status.name())
    .bind(dispute.deadline)
    .bind(false)
    .bind(dispute.created_at)
    .execute(tx)
    .await?;
    Ok(inserted == 1)
}

/// Stores what changed since `dispute` was read; `None` when somebody else was first.
pub(super) async fn save(tx: &mut Tx, dispute: &Dispute, now: Timestamp) -> Result<Option<Dispute>> {
    let proposal = dispute.proposal.as_ref();
    let split = dispute.ending.map(|ending| ending.split);
    q("update disputes set status = $3, deadline = $4, proposal_number = $5, proposer_id = $6, proposed_by = $7,
            proposed_customer = $8, agreed_customer = $9, agreed_contractor = $10, proposal_expires_at = $11,
            to_customer = $12, to_contractor = $13, to_platform = $14, fee_back = $15, decision = $16,
            ended_at = $17, updated_at = $18, version = version + 1
        where id = $1 and version = $2 returning *")
    .bind(dispute.id)
    .bind(dispute.version)
    .bind(dispute.status.name())
    .bind(dispute.deadline)
    .bind(proposal.map_or(0, |it| it.number))
    .bind(proposal.map(|it| it.proposer))
    .bind(proposal.map(|it| it.by.name().to_uppercase()))
    .bind(proposal.map(|it| it.customer.minor))
    .bind(proposal.is_some_and(|it| it.customer_agrees))
    .bind(proposal.is_some_and(|it| it.contractor_agrees))
    .bind(proposal.map(|it| it.expires_at))
    .bind(split.map(|it| it.customer.minor))
    .bind(split.map(|it| it.contractor.minor))
    .bind(split.map(|it| it.platform.minor))
    .bind(split.is_some_and(|it| it.fee_back))
    .bind(dispute.decision.as_deref())
    .bind(dispute.ended_at)
    .bind(now)
    .optional(tx)
    .await
}

pub(super) async fn by_ids(on: impl Into<On<'_>>, ids: &[DisputeId]) -> Result<Vec<Dispute>> {
    q("select * from disputes where id in ({list})").list(ids.iter().copied()).all(on).await
}

pub(super) async fn of_bookings(on: impl Into<On<'_>>, bookings: &[BookingId]) -> Result<Vec<Dispute>> {
    q("select * from disputes where booking_id in ({list}) order by created_at, id")
        .list(bookings.iter().copied())
        .all(on)
        .await
}

/// Leaves a file to be added at the end of the unit of work.
pub(super) fn insert_evidence(unit: &mut Unit, evidence: &Evidence) {
    unit.later(
        q("insert into dispute_evidence (dispute_id, file_id, author_id, created_at) values ($1, $2, $3, $4)")
            .bind(evidence.dispute)
            .bind(evidence.file.uuid())
            .bind(evidence.author)
            .bind(evidence.created_at),
    );
}

/// The files of these disputes, the oldest first.
pub(super) async fn evidence(on: impl Into<On<'_>>, disputes: &[DisputeId]) -> Result<Vec<Evidence>> {
    q("select * from dispute_evidence where dispute_id in ({list}) order by created_at, file_id")
        .list(disputes.iter().copied())
        .all(on)
        .await
}

/// Whom these files are shown to, once for each dispute of each.
pub(super) async fn audiences(db: &Db, files: &[FileId]) -> Result<Vec<Shown>> {
    q("select e.file_id, d.customer_id, d.contractor_id from dispute_evidence e join disputes d on d.id = e.dispute_id
        where e.file_id in ({list})")
    .list(files.iter().map(|file| file.uuid()))
    .all(db)
    .await
}

pub(super) async fn page(db: &Db, status: Status, page: &Page) -> Result<Slice<Dispute>> {
    q("select * from disputes where status = $1")
        .bind(status.name())
        .page(db, page, Order::ascending("created_at", "id"))
        .await
}

pub(super) async fn count(db: &Db, status: Status) -> Result<i64> {
    q("select count(*) as n from disputes where status = $1").bind(status.name()).one(db).await
}

pub(super) async fn overdue(db: &Db, then: Timestamp) -> Result<Vec<DisputeId>> {
    let rows = q("select id from disputes where status = 'OPEN' and deadline < $1 order by deadline limit 100")
        .bind(then)
        .fetch(db)
        .await?;
    rows.iter().map(|row| row.get("id")).collect()
}
