-- Seals and proofs are never changed or deleted.
create trigger ledger_seals_append_only before update or delete or truncate on ledger_seals
    for each statement execute function refuse_change();
create trigger ledger_proofs_append_only before update or delete or truncate on ledger_proofs
    for each statement execute function refuse_change();
