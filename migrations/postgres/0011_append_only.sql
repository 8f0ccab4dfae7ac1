-- Rows of the ledger and of the audit log are never changed or deleted.
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name;
end $$;
create trigger transfers_append_only before update or delete or truncate on transfers
    for each statement execute function refuse_change();
create trigger audit_append_only before update or delete or truncate on audit
    for each statement execute function refuse_change();
-- Heads are updated with every event: room in each page keeps the updates in place.
alter table streams set (fillfactor = 70);
alter table purses set (fillfactor = 80);
alter table conversations set (fillfactor = 80);
alter table participants set (fillfactor = 80);
