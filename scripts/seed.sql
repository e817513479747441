-- A demo app for development. Running it again changes nothing.
INSERT INTO apps (id, name, created_at) VALUES ('app_00000000000000000000000000', 'Demo app', 0) ON CONFLICT (id) DO NOTHING;
