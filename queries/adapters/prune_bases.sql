-- Remove the adapters of some shared tiers.
DELETE FROM lora_adapters WHERE base_snapshot = ANY(:base_snapshots::text[]);
