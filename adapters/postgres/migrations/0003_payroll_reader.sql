-- Payroll's role reads the views made for payroll software, and nothing else. They are granted as they are made.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'dealtrail_payroll') THEN
        REVOKE ALL ON ALL TABLES IN SCHEMA read FROM dealtrail_payroll;
    END IF;
END
$$;
