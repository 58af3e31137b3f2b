CREATE TABLE log.app_right (
    relation text PRIMARY KEY,
    privileges text NOT NULL
);
INSERT INTO log.app_right (relation, privileges) VALUES
    ('log.event', 'INSERT'),
    ('audit.node', 'INSERT'),
    ('audit.checkpoint', 'INSERT'),
    ('audit.tree', 'UPDATE'),
    ('vault.secret', 'SELECT');
COMMENT ON TABLE log.app_right IS
    'What the role dealtrail_app may do beside reading log and audit. A migration that adds a row calls log.set_up_roles after.';

-- Roles belong to the whole server, and rights on a database to that database alone: a dump restored elsewhere, or
-- a copy, has neither. So this is a function, and harmless to repeat. Whoever migrates calls it with their own rights.
CREATE FUNCTION log.set_up_roles() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    version constant integer := current_setting('server_version_num')::integer;
    one record;
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['dealtrail_app', 'dealtrail_auditor', 'dealtrail_payroll'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role)
            AND (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user)
        THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- Another database of this server was migrated at the same moment.
            END;
        END IF;
    END LOOP;
    -- Each block is undone as a whole if its last right can't be given.
    BEGIN
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'dealtrail_auditor') THEN
            GRANT USAGE ON SCHEMA log, audit, read TO dealtrail_auditor;
            GRANT SELECT ON ALL TABLES IN SCHEMA log, audit, read TO dealtrail_auditor;
        END IF;
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'dealtrail_payroll') THEN
            GRANT USAGE ON SCHEMA read TO dealtrail_payroll;
            FOR one IN
                SELECT relname FROM pg_class
                WHERE relnamespace = 'read'::regnamespace AND relkind IN ('r', 'v') AND starts_with(relname, 'payroll_')
            LOOP
                EXECUTE format('GRANT SELECT ON read.%I TO dealtrail_payroll', one.relname);
            END LOOP;
        END IF;
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE WARNING 'the reader roles are not set up: %', SQLERRM;
    END;
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'dealtrail_app') THEN
            RAISE insufficient_privilege USING MESSAGE = 'there is no role dealtrail_app';
        END IF;
        IF NOT pg_has_role(current_user, 'dealtrail_app', CASE WHEN version >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
            BEGIN
                EXECUTE format('GRANT dealtrail_app TO %I', current_user);
            EXCEPTION WHEN unique_violation THEN
                NULL; -- As above.
            END;
        END IF;
        EXECUTE format('GRANT CONNECT, CREATE, TEMPORARY ON DATABASE %I TO dealtrail_app', current_database());
        IF NOT has_database_privilege('dealtrail_app', current_database(), 'CREATE') THEN
            RAISE insufficient_privilege
                USING MESSAGE = format('%s may not grant CREATE ON DATABASE %s', current_user, current_database());
        END IF;
        GRANT USAGE ON SCHEMA log, audit, vault TO dealtrail_app;
        GRANT SELECT ON ALL TABLES IN SCHEMA log, audit TO dealtrail_app;
        FOR one IN SELECT relation, privileges FROM log.app_right LOOP
            EXECUTE format('GRANT %s ON %s TO dealtrail_app', one.privileges, one.relation);
        END LOOP;
        -- Appending locks the table. Until PostgreSQL 17 only rights that the trigger then refuses allow that; of
        -- these TRUNCATE is the one that nobody could use quietly, were the trigger gone.
        EXECUTE format(
            'GRANT %s ON log.event TO dealtrail_app', CASE WHEN version >= 170000 THEN 'MAINTAIN' ELSE 'TRUNCATE' END
        );
        GRANT USAGE, CREATE ON SCHEMA read TO dealtrail_app;
        FOR one IN -- In the order in which a swap locks them.
            SELECT relname FROM pg_class
            WHERE relnamespace = 'read'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
                AND relowner <> 'dealtrail_app'::regrole
            ORDER BY relname
        LOOP
            EXECUTE format('ALTER TABLE read.%I OWNER TO dealtrail_app', one.relname);
        END LOOP;
        FOR one IN -- What killed rebuilds left, for the next one to clear up.
            SELECT nspname FROM pg_namespace
            WHERE starts_with(nspname, 'read_build_') AND nspowner <> 'dealtrail_app'::regrole
        LOOP
            EXECUTE format('ALTER SCHEMA %I OWNER TO dealtrail_app', one.nspname);
        END LOOP;
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE WARNING 'the role dealtrail_app is not set up, so all is done as %: %', current_user, SQLERRM;
    END;
END
$$;
COMMENT ON FUNCTION log.set_up_roles IS 'Makes the roles of Dealtrail and gives them their rights, as far as its caller may.';

SELECT log.set_up_roles();
