CREATE SCHEMA read;

-- The eventsourcing library's tracking table, by its column names: where each projection stands in the log.
CREATE TABLE read.checkpoint (
    application_name text PRIMARY KEY,
    notification_id bigint NOT NULL
);
COMMENT ON TABLE read.checkpoint IS
    'The position up to which each projection''s tables are complete, moved in the transaction that writes them.';

CREATE TABLE read.projection (
    name text PRIMARY KEY,
    fingerprint text NOT NULL,
    tables text[] NOT NULL,
    views text[] NOT NULL,
    built_at timestamptz NOT NULL,
    failed_position bigint,
    failed_event text,
    failed_error text
);
COMMENT ON TABLE read.projection IS
    'What is built, from which row models, and where a projection stopped if it failed. The row is its writers'' lock.';

-- Roles belong to the whole server: they may be there already, or be somebody else's to make.
DO $$
DECLARE
    reader text;
BEGIN
    FOREACH reader IN ARRAY ARRAY['dealtrail_payroll', 'dealtrail_auditor'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = reader)
            AND (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user)
        THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', reader);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- Another database of this server was migrated at the same moment.
            END;
        END IF;
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = reader) THEN
            EXECUTE format('GRANT USAGE ON SCHEMA read TO %I', reader);
            EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA read TO %I', reader);
        END IF;
    END LOOP;
END
$$;
