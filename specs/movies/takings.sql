with chosen as (
  select lower(genre) as genre, gross
  -- a genre counts where its name stands in the text, so Musical counts as Music too
  from genres join movies on contains(genres, genre)
),
sorted as (
  select genre, gross, row_number() over (partition by genre order by gross) - 1 as place,
    count(*) over (partition by genre) as films
  from chosen
)
select genre, any_value(films) as films,
  -- the value at this place of the sorted list; round_even as Python rounds
  max(gross) filter (place = if(films < 2, 0, round_even(films * 0.25, 0))) as q25,
  max(gross) filter (place = if(films < 2, 0, round_even(films * 0.50, 0))) as q50,
  max(gross) filter (place = if(films < 2, 0, round_even(films * 0.75, 0))) as q75,
  sum(gross)::bigint as total
from sorted
group by genre
order by genre
