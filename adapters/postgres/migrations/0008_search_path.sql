-- What a caller's search_path finds could suit a call better than what is meant, and runs with the caller's rights.
ALTER FUNCTION log.refuse_change() SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION log.position_at(timestamptz) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION log.leaf(log.event) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION log.set_up_roles() SET search_path = pg_catalog, pg_temp;
