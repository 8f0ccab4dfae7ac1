-- Rows of the ledger and of the audit log are never changed or deleted.
create trigger transfers_no_update before update on transfers
begin select raise(abort, 'transfers are append-only'); end;
create trigger transfers_no_delete before delete on transfers
begin select raise(abort, 'transfers are append-only'); end;
create trigger audit_no_update before update on audit
begin select raise(abort, 'audit is append-only'); end;
create trigger audit_no_delete before delete on audit
begin select raise(abort, 'audit is append-only'); end;
