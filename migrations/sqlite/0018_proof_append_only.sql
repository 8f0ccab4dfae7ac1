-- Seals and proofs are never changed or deleted.
create trigger ledger_seals_no_update before update on ledger_seals
begin select raise(abort, 'ledger_seals are append-only'); end;
create trigger ledger_seals_no_delete before delete on ledger_seals
begin select raise(abort, 'ledger_seals are append-only'); end;
create trigger ledger_proofs_no_update before update on ledger_proofs
begin select raise(abort, 'ledger_proofs are append-only'); end;
create trigger ledger_proofs_no_delete before delete on ledger_proofs
begin select raise(abort, 'ledger_proofs are append-only'); end;
