INSERT INTO numbers
    WITH RECURSIVE counting AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM counting WHERE n < 1000)
    SELECT n, CONCAT('row ', n), REPEAT(CHAR(65 + n % 26), n) FROM counting
