-- A demo app for development, for pages on http://localhost:3000 (examples/your-own-form). Running it again changes nothing.
INSERT INTO apps (id, name, type, origins, created_at)
VALUES ('app_00000000000000000000000000', 'Demo app', 'browser', '["http://localhost:3000"]', 0)
ON CONFLICT (id) DO UPDATE SET type = excluded.type, origins = excluded.origins WHERE type = 'web';
