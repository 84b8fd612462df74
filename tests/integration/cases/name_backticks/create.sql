CREATE TABLE `back``tick````s` (id INT NOT NULL PRIMARY KEY, v INT, KEY (v));
INSERT INTO `back``tick````s` SELECT n, n FROM numbers WHERE n < 200;
