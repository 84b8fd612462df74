CREATE TABLE `üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü` (id INT NOT NULL PRIMARY KEY, v INT, KEY (v));
INSERT INTO `üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü` SELECT n, n FROM numbers WHERE n < 200;
