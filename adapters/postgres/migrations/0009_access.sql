CREATE SCHEMA access;

CREATE TABLE access.api_key (
    id text COLLATE "C" PRIMARY KEY,
    secret_hash bytea NOT NULL,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('service', 'rep', 'head', 'payroll', 'auditor', 'admin')),
    rep text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    CHECK ((rep IS NOT NULL) = (role IN ('rep', 'head')))
);
COMMENT ON TABLE access.api_key IS
    'Who may ask over HTTP. A key is 32 random bytes, shown once; here is only their SHA-256.';

CREATE TABLE access.login (
    login text PRIMARY KEY,
    rep text NOT NULL,
    role text NOT NULL DEFAULT 'rep' CHECK (role IN ('rep', 'head'))
);
COMMENT ON TABLE access.login IS
    'Which rep a login of the database is, for the views read.my_…: their own rows; as a head also those of everyone below.';

-- Asked by the views with the rights of its owner, and answered for who logged in: SET ROLE changes nothing.
CREATE FUNCTION access.reps() RETURNS SETOF text LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    WITH RECURSIVE me AS (
        SELECT login.rep, login.role FROM access.login WHERE login.login = session_user
    ), team(rep) AS (
        SELECT me.rep FROM me
        UNION
        SELECT rep.rep FROM read.rep JOIN team ON rep.manager = team.rep
        WHERE EXISTS (SELECT FROM me WHERE me.role = 'head')
            AND NOT EXISTS (SELECT FROM read.rep gone JOIN me ON me.rep = gone.rep WHERE gone.status = 'left')
    )
    SELECT team.rep FROM team;
END
$$;
COMMENT ON FUNCTION access.reps IS 'Whose data the login may see: by access.login, and by the team as it is now.';

-- As before, with the role of reps.
CREATE OR REPLACE FUNCTION log.set_up_roles() RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    version constant integer := current_setting('server_version_num')::integer;
    one record;
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['dealtrail_app', 'dealtrail_auditor', 'dealtrail_payroll', 'dealtrail_rep'] LOOP
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
            -- Without `access` no auditor could replay the views of reps, which ask who they are.
            GRANT USAGE ON SCHEMA log, audit, read, access TO dealtrail_auditor;
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
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'dealtrail_rep') THEN
            GRANT USAGE ON SCHEMA read TO dealtrail_rep;
            FOR one IN
                SELECT relname FROM pg_class JOIN read.projection ON relname = ANY(views)
                WHERE relnamespace = 'read'::regnamespace AND relkind = 'v' AND name = 'my_views'
            LOOP
                EXECUTE format('GRANT SELECT ON read.%I TO dealtrail_rep', one.relname);
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

INSERT INTO log.app_right (relation, privileges) VALUES
    ('SCHEMA access', 'USAGE'),
    ('access.api_key', 'SELECT, INSERT, UPDATE (revoked_at, last_used_at)');
SELECT log.set_up_roles();
