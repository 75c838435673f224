-- A small lending library: books have one or more authors and several copies; a loan that is not yet
-- returned has no return date, and some books were never lent.
CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL, born INTEGER, country TEXT);
CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT NOT NULL, genre TEXT NOT NULL, published INTEGER, pages INTEGER);
CREATE TABLE book_authors (book_id INTEGER NOT NULL REFERENCES books (id), author_id INTEGER NOT NULL REFERENCES authors (id), PRIMARY KEY (book_id, author_id));
CREATE TABLE copies (id INTEGER PRIMARY KEY, book_id INTEGER NOT NULL REFERENCES books (id), branch TEXT NOT NULL, bought TEXT NOT NULL);
CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT NOT NULL, branch TEXT NOT NULL, since TEXT NOT NULL);
CREATE TABLE loans (id INTEGER PRIMARY KEY, copy_id INTEGER NOT NULL REFERENCES copies (id), member_id INTEGER NOT NULL REFERENCES members (id), lent TEXT NOT NULL, due TEXT NOT NULL, returned TEXT);
INSERT INTO authors VALUES
 (1, 'Amara Nwosu', 1961, 'Nigeria'), (2, 'Bela Horvath', 1948, 'Hungary'), (3, 'Carmen Ibarra', 1975, 'Chile'),
 (4, 'Daichi Mori', NULL, 'Japan'), (5, 'Edda Krag', 1983, NULL), (6, 'Femi Adeyemi', 1990, 'Nigeria'),
 (7, 'Gwen Pritchard', 1955, 'Wales');
INSERT INTO books VALUES
 (1, 'The Salt Road', 'novel', 1989, 312), (2, 'Rivers at Night', 'poetry', 1997, 96), (3, 'A Field Guide to Moss', 'science', 2008, 420),
 (4, 'Seven Locks', 'crime', 2011, 288), (5, 'The Clockmaker''s Oath', 'novel', 2014, 505), (6, 'Small Tides', 'poetry', NULL, 80),
 (7, 'Counting Stars Badly', 'science', 2016, 240), (8, 'The Ninth Witness', 'crime', 2018, 334), (9, 'Ashes of the Mill', 'novel', 2019, NULL),
 (10, 'Letters to a Lighthouse', 'novel', 2021, 198), (11, 'Bread and Iron', 'history', 2003, 610), (12, 'The Quiet Harbour', 'crime', 2021, 301);
INSERT INTO book_authors VALUES
 (1, 1), (2, 3), (3, 2), (3, 7), (4, 5), (5, 1), (5, 6), (6, 3), (7, 4), (8, 5), (9, 6), (10, 7), (11, 2), (12, 5), (12, 6);
INSERT INTO copies VALUES
 (1, 1, 'North', '2015-02-01'), (2, 1, 'South', '2016-09-12'), (3, 2, 'North', '2015-02-01'), (4, 3, 'East', '2017-05-30'),
 (5, 4, 'South', '2015-11-20'), (6, 4, 'North', '2018-01-15'), (7, 5, 'East', '2018-01-15'), (8, 5, 'North', '2019-07-04'),
 (9, 6, 'South', '2019-07-04'), (10, 7, 'East', '2020-03-09'), (11, 8, 'North', '2020-03-09'), (12, 8, 'South', '2021-10-22'),
 (13, 9, 'East', '2021-10-22'), (14, 10, 'North', '2022-04-18'), (15, 11, 'South', '2022-04-18'), (16, 12, 'East', '2023-01-05');
INSERT INTO members VALUES
 (1, 'Kofi Mensah', 'North', '2018-06-01'), (2, 'Lena Fuchs', 'South', '2018-11-23'), (3, 'Marek Zajac', 'East', '2019-04-02'),
 (4, 'Noor Rahman', 'North', '2020-01-30'), (5, 'Otto Blum', 'South', '2021-08-16'), (6, 'Priya Nair', 'East', '2022-02-07'),
 (7, 'Quentin Roux', 'North', '2023-03-03');
INSERT INTO loans VALUES
 (1, 1, 1, '2022-01-10', '2022-01-31', '2022-01-28'), (2, 5, 2, '2022-01-15', '2022-02-05', '2022-02-09'),
 (3, 8, 1, '2022-02-02', '2022-02-23', '2022-02-23'), (4, 4, 3, '2022-03-11', '2022-04-01', '2022-03-30'),
 (5, 11, 4, '2022-03-20', '2022-04-10', '2022-05-01'), (6, 12, 5, '2022-05-05', '2022-05-26', '2022-05-20'),
 (7, 1, 4, '2022-06-14', '2022-07-05', '2022-07-02'), (8, 7, 6, '2022-07-01', '2022-07-22', '2022-08-03'),
 (9, 14, 1, '2022-08-19', '2022-09-09', '2022-09-01'), (10, 6, 4, '2022-09-27', '2022-10-18', NULL),
 (11, 13, 3, '2022-10-10', '2022-10-31', '2022-10-30'), (12, 2, 5, '2022-11-11', '2022-12-02', '2022-12-12'),
 (13, 8, 7, '2023-03-08', '2023-03-29', '2023-03-21'), (14, 16, 6, '2023-03-15', '2023-04-05', NULL),
 (15, 11, 1, '2023-04-02', '2023-04-23', '2023-04-22'), (16, 5, 2, '2023-04-17', '2023-05-08', NULL),
 (17, 10, 3, '2023-05-20', '2023-06-10', '2023-06-15'), (18, 1, 7, '2023-06-06', '2023-06-27', '2023-06-20');
