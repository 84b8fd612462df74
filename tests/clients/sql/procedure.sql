CREATE PROCEDURE two_results(IN bound INT, OUT counted INT)
BEGIN
    SELECT id, c_varchar FROM types WHERE id <= bound ORDER BY id;
    SELECT COUNT(*) AS number, 'second' AS which FROM types;
    SELECT COUNT(*) INTO counted FROM types WHERE id <= bound;
END
